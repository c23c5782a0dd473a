import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The service that the dev server and `vite preview` pass questions and commands to: `verilot up` listens there.
const api = process.env.VERILOT_API ?? 'http://127.0.0.1:8080';
const target = { target: api, changeOrigin: false };
// A browser that opens /capture wants the page.
const bypass = (r: { headers: { accept?: string } }) => (r.headers.accept?.includes('text/html') ? '/index.html' : undefined);
const proxy = { '/v1': target, '/app.json': target, '/01': target, '/capture': { ...target, bypass } };

// What the services will send with these files: nothing from elsewhere, no inline script.
const headers = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy, headers },
  // One style sheet: a part of it that did not come with its page is not asked for again.
  build: { target: 'es2022', assetsInlineLimit: 0, cssCodeSplit: false, modulePreload: { polyfill: false } },
  test: { include: ['test/**/*.test.{ts,tsx}', 'src/**/*.test.{ts,tsx}'], environment: 'node' },
});

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The service whose pages these are, which the dev server and `vite preview` ask: `verilot up` listens there.
const api = process.env.VERILOT_API ?? 'http://127.0.0.1:8080';
const target = { target: api, changeOrigin: false };
const proxy = {
  '/v1': target,
  '/app.json': target,
  '/capture': {
    ...target,
    // A page of ours is at this address too: who comes with a browser's address line means the page.
    bypass: (r: { method?: string; headers: { accept?: string } }) =>
      r.method === 'GET' && r.headers.accept?.includes('text/html') ? '/index.html' : undefined,
  },
};

// What the services will send with these files: nothing from elsewhere, no inline script.
const headers = {
  'Content-Security-Policy':
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy, headers },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: { include: ['test/**/*.test.{ts,tsx}', 'src/**/*.test.{ts,tsx}'], environment: 'node' },
});

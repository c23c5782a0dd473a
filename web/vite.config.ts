import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The api that the dev server and `vite preview` pass /v1 to: `verilot up` listens there.
const api = process.env.VERILOT_API ?? 'http://127.0.0.1:8080';
const proxy = { '/v1': { target: api, changeOrigin: false } };

export default defineConfig({
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  test: { include: ['test/**/*.test.{ts,tsx}', 'src/**/*.test.{ts,tsx}'], environment: 'node' },
});

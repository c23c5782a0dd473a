import js from '@eslint/js';
import hooks from 'eslint-plugin-react-hooks';
import ts from 'typescript-eslint';
import { layersPointDown } from './eslint.layers.js';

export default ts.config(
  { ignores: ['dist/', 'screenshots/', 'src/lib/api/*.d.ts'] },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-control-regex': 'off',
    },
  },
  {
    // The verifier is pure: bytes in, result out. Whatever it needs of the world it is given.
    files: ['src/lib/proof/**', 'src/lib/gs1/**'],
    rules: {
      'no-restricted-globals': ['error', 'window', 'document', 'fetch', 'localStorage', 'navigator', 'crypto', 'performance', 'setTimeout'],
      'no-restricted-properties': ['error', { object: 'Date', property: 'now' }, { object: 'Math', property: 'random' }],
      'no-restricted-imports': ['error', { patterns: ['react*', '@mantine/*', '@tanstack/*'] }],
    },
  },
  {
    files: ['src/**'],
    plugins: { house: { rules: { 'layers-point-down': layersPointDown } } },
    rules: { 'house/layers-point-down': 'error' },
  },
  {
    files: ['scripts/**', '*.config.*', 'eslint.*.js'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        fetch: 'readonly',
        setTimeout: 'readonly',
        URL: 'readonly',
        Buffer: 'readonly',
        document: 'readonly',
        window: 'readonly',
        KeyboardEvent: 'readonly',
        HTMLInputElement: 'readonly',
        Event: 'readonly',
        Image: 'readonly',
      },
    },
  },
);

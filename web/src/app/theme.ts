import { createTheme, type CSSVariablesResolver } from '@mantine/core';

export const theme = createTheme({
  fontFamily: "'Inter Variable', system-ui, sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SFMono-Regular', 'DejaVu Sans Mono', Menlo, Consolas, monospace",
  headings: { fontFamily: "'Inter Variable', system-ui, sans-serif", fontWeight: '650' },
  primaryColor: 'lot',
  primaryShade: 7, // white on it has 7:1 in both schemes
  defaultRadius: 'md',
  cursorType: 'pointer',
  colors: {
    lot: ['#e6f6f8', '#cfeaee', '#9fd5dd', '#6cc0cb', '#45adbb', '#2d9dac', '#16818f', '#0b5c6b', '#084956', '#043741'],
  },
});

// Mantine's dimmed grey, its red and its placeholders are too faint for small text on our backgrounds: 4.5:1 is what WCAG AA asks.
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#4d565f',
    '--mantine-color-body': '#ffffff',
    '--mantine-color-error': '#a51520',
    '--mantine-color-placeholder': '#5c6670',
  },
  dark: {
    '--mantine-color-dimmed': '#b3bac1',
    '--mantine-color-body': '#15191d',
    '--mantine-color-error': '#ffa7a7',
    '--mantine-color-placeholder': '#a3acb4',
  },
});

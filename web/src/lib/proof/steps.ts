/** The steps of docs/spec.md 12.4 in the order in which they are taken. Apart, so that a page can name them before it loads the rest. */
export const steps = [
  'format',
  'genesis',
  'checkpoint',
  'certificate',
  'header',
  'log',
  'entries',
  'verdicts',
  'subjects',
  'key',
  'signature',
  'fields',
  'units',
  'items',
  'verdict',
] as const;
export type StepName = (typeof steps)[number];

/** What was sent last from this page: its lines explain the errors. It stays in this browser. */
export interface Sent {
  id: string;
  name: string;
  lines: string[];
  /** What could not be registered of what it names. */
  notes: string[];
}

let last: Sent | undefined;

export const remember = (s: Sent) => {
  last = s;
};
export const sentAs = (id: string): Sent | undefined => (last?.id === id ? last : undefined);

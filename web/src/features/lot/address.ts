import { path } from '../../lib/router/address';

/** unitsPath is the address of some packages of a lot, by holder and state. */
export const unitsPath = (l: { gtin: string; lot: string }, holder: string, state: string) => {
  const q = new URLSearchParams({ ...(holder ? { holder } : {}), ...(state ? { state } : {}) }).toString();
  return path('lot', l.gtin, l.lot) + (q ? `?${q}` : '');
};

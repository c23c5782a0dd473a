import type { Schemas } from '../../lib/api/client';
import { path, tracePath } from '../../lib/router/address';

/** where is the page of a thing that a search found. */
export function where(h: Schemas['Hit']): string {
  switch (h.kind) {
    case 'unit':
    case 'container':
      return tracePath(h.id ?? '');
    case 'lot':
      return path('lot', h.gtin ?? '', h.lot ?? '');
    case 'product':
      return `/search?q=${encodeURIComponent(h.gtin ?? '')}`;
    case 'party':
      return `/search?q=${encodeURIComponent(h.party ?? '')}`;
    case 'block':
    case 'event':
      return path('block', h.height ?? '');
    case 'recall':
      return path('recalls', h.number ?? '');
  }
}

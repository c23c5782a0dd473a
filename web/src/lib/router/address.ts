// A few addresses do not need a router library, and what was scanned is not for one to read: /trace/<anything scannable> holds
// slashes, percent signs and control characters, which general routers decode, split or collapse.

/**
 * Route is an address: the page's name, the rest of the path as it stands (see segments), and the query.
 */
export interface Route {
  page: string;
  rest: string;
  query: URLSearchParams;
}

/** read takes an address apart; the start page's name is ''. */
export function read(pathname: string, search = ''): Route {
  const [, page, rest] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  return { page: page ?? '', rest: rest ?? '', query: new URLSearchParams(search) };
}

/** decoded is a piece of a path as somebody meant it; what is not percent-encoded properly is taken as it stands. */
export function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}

/** segments are the decoded pieces of the rest of a path. */
export const segments = (rest: string): string[] => (rest === '' ? [] : rest.split('/').map(decoded));

/** path writes an address: path('lots', gtin, lot). */
export const path = (page: string, ...pieces: string[]): string => [`/${page}`, ...pieces.map(encodeURIComponent)].join('/');

export const tracePath = (id: string): string => (id === '' ? '/trace' : path('trace', id));

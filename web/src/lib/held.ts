// What a reload of the tab would cut off: a document that is being sent, the packing of a lot. Whoever starts such work holds the
// tab; the page is not loaded anew by itself before all of it has ended.
const holds = new Set<symbol>();

/** hold keeps the tab as it is until the function that it returns is called. */
export function hold(): () => void {
  const mine = Symbol();
  holds.add(mine);
  return () => holds.delete(mine);
}

/** isHeld reports whether a reload would cut something off. */
export const isHeld = (): boolean => holds.size > 0;

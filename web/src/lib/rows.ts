// Long lists: lines as they arrive, and the part of them that is on the screen. Pure but for the stream it is given.

/** lines yields the lines of a text that arrives in pieces, none empty; characters and lines may be cut anywhere. */
export async function* lines(pieces: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = pieces.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const whole = rest.split('\n');
      rest = done ? '' : whole.pop()!;
      for (const line of whole) if (line !== '') yield line;
      if (done) return;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // whoever stops reading wants no more of it
  }
}

/** windowOf is which rows of a list can be seen, with some before and after so that scrolling shows no gap. */
export function windowOf(scrolled: number, height: number, row: number, count: number): { from: number; to: number } {
  const spare = 6;
  const from = Math.max(0, Math.min(count, Math.floor(scrolled / row) - spare));
  return { from, to: Math.max(from, Math.min(count, Math.ceil((scrolled + height) / row) + spare)) };
}

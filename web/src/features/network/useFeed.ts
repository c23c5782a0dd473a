// Blocks as they come. Pure but for useFeed: what is kept of them, and how a block that was asked for is told like one that was sent.
import { useEffect, useState } from 'react';
import { api, type Schemas } from '../../lib/api/client';

type FeedBlock = Schemas['FeedBlock'];

/** What a page keeps. */
export const kept = { blocks: 100, items: 50 };

/** joined is a list of blocks with more of them, newest first, each once, and not more than are kept. */
export function joined(list: readonly FeedBlock[], more: readonly FeedBlock[]): FeedBlock[] {
  const by = new Map([...list, ...more].map((b) => [b.height, b]));
  return [...by.values()].sort((a, b) => (BigInt(a.height) < BigInt(b.height) ? 1 : -1)).slice(0, kept.blocks);
}

/** told is a block as the feed would tell it. */
export function told(b: Schemas['Block']): FeedBlock {
  const items = (b.entries ?? []).flatMap((e) =>
    (e.items ?? []).map((i): Schemas['FeedItem'] => ({
      position: i.position,
      kind: i.kind,
      verdict: i.verdict,
      objects: i.units,
      ...(i.type ? { type: i.type } : {}),
      ...(i.bizStep ? { bizStep: i.bizStep } : {}),
      ...(i.code ? { code: i.code } : {}),
      ...(e.party ? { party: { id: e.party } } : {}),
      findings: (i.findings ?? []).map((f) => f.code),
    })),
  );
  const { height, time, lastSequence } = b.header;
  const more = Math.max(0, items.length - kept.items);
  return { hash: b.hash, height, time, lastSequence, items: items.slice(0, kept.items), ...(more > 0 ? { more } : {}) };
}

export type Mode = 'opening' | 'open' | 'broken' | 'polling' | 'silent' | 'paused';

const pollMs = 5000;
const againMs = 30_000; // from asking now and then back to listening
const seen = 60n; // blocks before the newest that a page begins with; the feed goes back 100

/**
 * useFeed listens for new blocks. A connection that breaks the browser opens again by itself; one that was refused (too many listen)
 * it does not: then this asks now and then, and tries to listen later.
 */
export function useFeed(live: boolean): { mode: Mode; blocks: FeedBlock[] } {
  const [mode, setMode] = useState<Mode>('opening');
  const [blocks, setBlocks] = useState<FeedBlock[]>([]);
  useEffect(() => {
    if (!live) return;
    let gone = false;
    let last: bigint | undefined;
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout>;
    const is = (m: Mode) => !gone && setMode(m);
    const hear = (list: FeedBlock[]) => {
      if (gone) return;
      for (const b of list) if (last === undefined || BigInt(b.height) > last) last = BigInt(b.height);
      setBlocks((known) => joined(known, list));
    };
    const poll = async (until: number): Promise<void> => {
      try {
        const newest = ((await api.blocks(20)).data.blocks ?? []).filter((b) => last === undefined || BigInt(b.header.height) > last);
        hear(await Promise.all(newest.map(async (b) => told((await api.block(b.header.height)).data))));
        is('polling');
      } catch {
        is('silent');
      }
      if (gone) return;
      timer = setTimeout(() => void (Date.now() > until ? listen() : poll(until)), pollMs);
    };
    const listen = async () => {
      try {
        if (last === undefined) {
          const height = BigInt((await api.status()).data.height);
          last = height > seen ? height - seen : 0n;
        }
      } catch {
        is('silent');
        if (!gone) timer = setTimeout(() => void listen(), pollMs);
        return;
      }
      if (gone) return;
      if (typeof EventSource === 'undefined') return void poll(Infinity);
      const s = new EventSource(`/v1/feed?after=${last}`);
      source = s;
      s.onopen = () => is('open');
      s.onerror = () => {
        if (s.readyState !== EventSource.CLOSED) return is('broken');
        void poll(Date.now() + againMs);
      };
      s.addEventListener('block', (e) => hear([JSON.parse((e as MessageEvent<string>).data) as FeedBlock]));
    };
    void listen();
    return () => {
      gone = true;
      clearTimeout(timer);
      source?.close();
    };
  }, [live]);
  return { mode: live ? mode : 'paused', blocks };
}

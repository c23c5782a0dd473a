import { useQuery } from '@tanstack/react-query';
import { api, type Schemas } from '../../lib/api/client';
import type { Check } from '../../lib/guard';

const looked = 60; // a delivery of more is looked into as it is scanned
const together = 6;

/** useInside looks into what is still to come of a delivery, so that it is known before it is opened. */
export function useInside(items: readonly Schemas['ShippedItem'][]): ReadonlyMap<string, Check> {
  const open = items.filter((i) => i.open).slice(0, looked);
  const { data } = useQuery({
    queryKey: ['inside', open.map((i) => i.key)],
    enabled: open.length > 0,
    queryFn: async () => {
      const found = new Map<string, Check>();
      for (let i = 0; i < open.length; i += together) {
        await Promise.all(
          open.slice(i, i + together).map(async (x) => {
            const check = await api.check(x.digitalLink ?? x.key).catch(() => undefined); // the next time, or when it is scanned
            if (check) found.set(x.key, check.data);
          }),
        );
      }
      return found;
    },
    refetchInterval: 30_000,
  });
  return data ?? none;
}

const none: ReadonlyMap<string, Check> = new Map();

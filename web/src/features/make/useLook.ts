import { useQuery } from '@tanstack/react-query';
import { api, type Schemas } from '../../lib/api/client';
import type { Check } from '../../lib/guard';

const together = 6;

/** useLook checks the containers of a shipment, and what is inside them, when somebody wants to review it. */
export function useLook(boxes: readonly Schemas['LotContainer'][], wanted: boolean) {
  return useQuery({
    queryKey: ['ship-look', boxes.map((b) => b.key)],
    enabled: wanted && boxes.length > 0,
    queryFn: async () => {
      const found: { box: Schemas['LotContainer']; check: Check }[] = [];
      for (let i = 0; i < boxes.length; i += together) {
        const some = boxes.slice(i, i + together);
        found.push(...(await Promise.all(some.map(async (box) => ({ box, check: (await api.check(box.digitalLink ?? box.key)).data })))));
      }
      return found;
    },
    gcTime: 0,
    staleTime: 0, // a recall may have come since the last look
    refetchOnWindowFocus: false,
    retry: 1,
  });
}

import { api, type Rests, type Schemas } from '../../lib/api/client';

const pages = 5; // of a hundred: further back nobody looks for a delivery

/** shipment finds one of the shipments to a party: among those on their way, else among all, as it may have come meanwhile. */
export async function shipment(party: string, id: string): Promise<{ shipment?: Schemas['Shipment']; rests?: Rests }> {
  for (const open of [true, false]) {
    let after: string | undefined;
    for (let i = 0; i < (open ? 1 : pages); i++) {
      const { data, rests } = await api.shipments({ to: party, open, limit: 100, ...(after ? { after } : {}) });
      const found = data.shipments?.find((s) => s.id === id);
      if (found) return { shipment: found, rests };
      after = data.next;
      if (!after) break;
    }
  }
  return {};
}

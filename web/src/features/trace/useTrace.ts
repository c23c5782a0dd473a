import { useQuery } from '@tanstack/react-query';
import { api, Problem } from '../../lib/api/client';

export const useTrace = (id: string) => useQuery({ queryKey: ['trace', id], queryFn: () => api.trace(id), enabled: id !== '' });

/** useProof fetches bundle and genesis file and verifies the one with the other, here. */
export const useProof = (key: string, height: string | undefined) =>
  useQuery({
    queryKey: ['proof', key, height],
    enabled: key !== '' && height !== undefined,
    staleTime: Infinity,
    queryFn: async () => {
      const [bundle, genesis, proof] = await Promise.all([
        api.proof(key).catch((e: unknown) => {
          if (e instanceof Problem && e.code === 'proof_unavailable') return undefined;
          throw e;
        }),
        api.genesis(),
        import('../../lib/proof'),
      ]);
      if (!bundle) return undefined;
      const started = performance.now();
      const trusted = proof.parseGenesis(genesis);
      const result = proof.verifyBytes(bundle, trusted);
      return {
        bundle,
        genesis,
        genesisHash: proof.hex(trusted.hash),
        parties: trusted.parties,
        result,
        milliseconds: performance.now() - started,
      };
    },
  });

export type Proof = NonNullable<ReturnType<typeof useProof>['data']>;

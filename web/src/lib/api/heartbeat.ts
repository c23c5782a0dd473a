import { useQuery } from '@tanstack/react-query';
import { api } from './client';

/**
 * useHeartbeat asks the service every so many milliseconds how far its ledger is, as long as the page is open. Pages that call it share
 * the answer, which also moves useNewest.
 */
export const useHeartbeat = (everyMs = 10_000) =>
  useQuery({ queryKey: ['heartbeat'], queryFn: api.status, refetchInterval: everyMs, retry: false });

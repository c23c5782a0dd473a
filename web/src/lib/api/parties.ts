import { useQuery } from '@tanstack/react-query';
import { api } from './client';

/** useParties lists who is registered. */
export const useParties = () =>
  useQuery({ queryKey: ['parties'], queryFn: async () => (await api.parties()).data.parties ?? [], staleTime: 60_000 });

// Which service serves this page, and whether somebody is signed in to it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { forgetAll } from '../kept';
import { session, setting, type Session, type Setting } from './client';

export type { Session, Setting };

/** useSetting tells whose page this is. It never changes while the page is open. */
export const useSetting = () => useQuery({ queryKey: ['setting'], queryFn: setting, staleTime: Infinity });

/** useSession tells whether custody may be changed from here. */
export const useSession = () => useQuery({ queryKey: ['session'], queryFn: session.get, staleTime: 60_000 });

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({ mutationFn: session.begin, onSuccess: (s) => queries.setQueryData(['session'], s) });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: session.end,
    onSuccess: (s) => {
      forgetAll();
      queries.setQueryData(['session'], s);
    },
  });
}

/** useMay tells whether custody may be changed from this page, and whose. */
export function useMay(): { may: boolean; party: string; service: string } {
  const setting = useSetting().data;
  const session = useSession().data;
  return {
    may: session !== undefined && (session.signedIn || !session.required),
    party: setting?.party ?? '',
    service: setting?.service ?? '',
  };
}

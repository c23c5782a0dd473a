// A command or document on its way: sent once, then followed until every answer shows it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { capture, type Body, type Command, type Job } from './client';

/** rank orders the states of a job. */
export const states = ['captured', 'accepted', 'certified', 'indexed'] as const;
export const rank = (s: Job['state']): number => states.indexOf(s);

/** next is the state to wait for: the service answers when it is there. */
const next = (s: Job['state']) => states[Math.min(rank(s) + 1, states.length - 1)];

/** useFollow follows a job, longer and longer when the service does not answer. */
export function useFollow(job: Job | undefined) {
  return useQuery({
    queryKey: ['job', job?.captureID],
    enabled: job !== undefined,
    initialData: job,
    initialDataUpdatedAt: 0, // ask at once
    queryFn: async ({ client }) => {
      const known = client.getQueryData<Job>(['job', job!.captureID]) ?? job!;
      return capture.job(job!.captureID, next(known.state));
    },
    refetchInterval: (q) => (q.state.data?.state === 'indexed' ? false : q.state.error ? 3000 : 50),
    refetchIntervalInBackground: true,
    retry: false,
    staleTime: Infinity,
  });
}

/** newKey names one thing that a person meant to do, so that sending it twice does it once. */
export const newKey = (): string => {
  const b = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
};

/**
 * useCommand sends a command and follows its job. send may be called again after a failure: the same body gets the same key,
 * so an answer that was lost on the way does nothing twice. whenIndexed hears of a job once, when every answer shows it. running is
 * a job that was found on its way when the page was opened: it is followed until something is sent from here.
 */
export function useCommand<C extends Command>(name: C, whenIndexed?: (job: Job) => void, running?: Job) {
  const queries = useQueryClient();
  const meant = useRef({ body: '', key: '' });
  const [own, setJob] = useState<Job>();
  const [onlyOwn, setOnlyOwn] = useState(false);
  const job = own ?? (onlyOwn ? undefined : running);
  const sent = useMutation({
    mutationFn: (body: Body<C>) => {
      const text = JSON.stringify(body);
      if (meant.current.body !== text) meant.current = { body: text, key: newKey() };
      return capture.command(name, body, meant.current.key);
    },
    onSuccess: (j) => {
      meant.current = { body: '', key: '' };
      setJob(j);
    },
  });
  const followed = useFollow(job);
  const current = job && (followed.data ?? job);
  const told = useRef<string>(undefined);
  const tell = useRef(whenIndexed);
  useEffect(() => {
    tell.current = whenIndexed;
  });
  useEffect(() => {
    if (!current || current.state !== 'indexed' || told.current === current.captureID) return;
    told.current = current.captureID;
    // What the page shows was asked for before this happened.
    void queries.invalidateQueries({ predicate: (q) => !['job', 'setting', 'session', 'proof'].includes(String(q.queryKey[0])) });
    tell.current?.(current);
  }, [current, queries]);
  return {
    send: (body: Body<C>) => {
      setOnlyOwn(true);
      setJob(undefined);
      sent.mutate(body);
    },
    clear: () => {
      setOnlyOwn(true);
      setJob(undefined);
      sent.reset();
    },
    job: current,
    lost: followed.isError,
    error: sent.error,
    busy: sent.isPending || (current !== undefined && current.state !== 'indexed'),
  };
}

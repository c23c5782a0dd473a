import type { QueryClient } from '@tanstack/react-query';
import { api, Problem } from '../lib/api/client';

const pause = 8000; // ms between two questions whether the service answers again

/** silent tells a query that nobody answered from one that was refused. */
const silent = (error: unknown) => !(error instanceof Problem && error.status < 500);

/**
 * comeBack asks again for what a page could not get, as soon as the service answers. It asks something small first, so that a page does
 * not blink while there is still no answer.
 */
export function comeBack(queries: QueryClient): () => void {
  const missing = () =>
    queries.getQueryCache().findAll({ type: 'active', predicate: (q) => q.state.status === 'error' && silent(q.state.error) });
  const tryAgain = async () => {
    if (missing().length === 0) return;
    try {
      await api.status();
    } catch {
      return;
    }
    for (const q of missing()) void q.fetch().catch(() => undefined); // it shows its own error
  };
  const timer = setInterval(() => void tryAgain(), pause);
  const online = () => void tryAgain();
  window.addEventListener('online', online);
  return () => {
    clearInterval(timer);
    window.removeEventListener('online', online);
  };
}

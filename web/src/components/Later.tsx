import { Button, Loader } from '@mantine/core';
import { useEffect, useSyncExternalStore, type ComponentType, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { isHeld } from '../lib/held';
import { mayReload, reload, why, type Trouble } from '../lib/version';
import { Note } from './Status';

/** How often code that did not come is asked for again while somebody waits for it, in milliseconds. */
const pause = 5000;

interface State<P> {
  component?: ComponentType<P>;
  trouble?: Trouble;
  busy: boolean;
}

/** Later is a component whose code comes when it is first shown, or before: ahead fetches it and does not fail. */
export interface Later<P> {
  (props: P): ReactNode;
  ahead: () => Promise<void>;
}

/**
 * later makes a component of code that is fetched. When that fails, it says what happened, asks again when the browser is online, every
 * few seconds, and when somebody presses Retry. A whole page loads the tab anew, once, when another build of the pages is there.
 */
export function later<P extends object>(load: () => Promise<{ default: ComponentType<P> }>, part: 'page' | 'part' = 'part'): Later<P> {
  let state: State<P> = { busy: false };
  const listeners = new Set<() => void>();
  const set = (next: State<P>) => {
    state = next;
    listeners.forEach((l) => l());
  };
  let going: Promise<void> | undefined;
  const go = (quiet: boolean): Promise<void> => {
    if (state.component) return Promise.resolve();
    if (!quiet) set({ ...state, busy: true });
    going ??= load()
      .then(
        (m) => set({ component: m.default, busy: false }),
        async () => set({ trouble: await why(), busy: false }),
      )
      .finally(() => (going = undefined));
    return going;
  };
  const subscribe = (l: () => void) => {
    listeners.add(l);
    return () => listeners.delete(l);
  };
  function Shown(props: P) {
    const { component: Component, trouble, busy } = useSyncExternalStore(subscribe, () => state);
    const missing = Component === undefined;
    useEffect(() => {
      if (!missing) return;
      void go(false);
      const again = () => void go(true);
      const timer = setInterval(again, pause);
      window.addEventListener('online', again);
      return () => {
        clearInterval(timer);
        window.removeEventListener('online', again);
      };
    }, [missing]);
    const reloads = part === 'page' && trouble?.kind === 'newer' && !isHeld() && mayReload(trouble.build);
    useEffect(() => {
      if (reloads && trouble?.kind === 'newer') reload(trouble.build);
    }, [reloads, trouble]);
    if (Component) return <Component {...props} />;
    if (busy || !trouble || reloads) return <Waiting />;
    return <Missing trouble={trouble} part={part} retry={() => void go(false)} />;
  }
  return Object.assign(Shown, { ahead: () => go(true) });
}

function Waiting() {
  const { t } = useTranslation();
  return <Loader role="status" aria-label={t('app.loading')} />;
}

/** What happened to code that did not come, and what to do. */
function Missing({ trouble, part, retry }: { trouble: Trouble; part: 'page' | 'part'; retry: () => void }) {
  const { t } = useTranslation();
  const held = isHeld();
  const newer = trouble.kind === 'newer';
  return (
    <div data-testid="missing" data-trouble={trouble.kind}>
      <Note tone="calm" icon="pending" alert level={part === 'page' ? 1 : 3} title={t(`later.${part}.${trouble.kind}`)}>
        <p>{newer ? t(held ? 'later.newerHeld' : 'later.newerHelp') : t(`later.${trouble.kind}Help`)}</p>
        <Button mt="xs" size="sm" onClick={newer ? () => window.location.reload() : retry}>
          {newer ? t('later.reload') : t('problem.retry')}
        </Button>
      </Note>
    </div>
  );
}

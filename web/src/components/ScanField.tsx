import { Button, Loader, TextInput } from '@mantine/core';
import { lazy, Suspense, useEffect, useRef, useState, type ClipboardEvent, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { fast, meant, pause, shown, shownGS, typed } from '../lib/scan/wedge';
import { Icon } from './Icon';

const Camera = lazy(() => import('./Camera'));

/** Where a text came from: a scanner in keyboard mode, hands, the clipboard, the camera. */
export type How = 'wedge' | 'typed' | 'pasted' | 'camera';

/** editable reports whether keys at a target are for it, and not for us. */
const editable = (target: EventTarget | null, own: HTMLElement | null): boolean =>
  target instanceof HTMLElement &&
  target !== own &&
  (target.isContentEditable ||
    /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
    target.closest('[role="listbox"],[role="dialog"]') !== null);

/**
 * ScanField takes what is on a package, however it arrives. Keys that are for no other field come here wherever the focus is, so a
 * scan is never lost.
 */
export function ScanField({
  label,
  description,
  action,
  onScan,
  initial = '',
  keep = false,
}: {
  label: string;
  description?: string;
  action: string;
  onScan: (text: string, how: How) => void;
  initial?: string;
  /** Keep the text after it was sent, selected, so that the next scan replaces it. */
  keep?: boolean;
}) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(() => shown(initial));
  const [known, setKnown] = useState(initial);
  const [camera, setCamera] = useState(false);
  const times = useRef<number[]>([]);
  const pasted = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  if (known !== initial) {
    setKnown(initial); // the address changed: the field follows it
    setText(shown(initial));
  }
  const send = (shownText: string, how?: How) => {
    clearTimeout(timer.current);
    const wanted = meant(shownText);
    if (wanted === '') return;
    const by = how ?? (fast(times.current) ? 'wedge' : pasted.current ? 'pasted' : 'typed');
    times.current = [];
    pasted.current = false;
    if (keep) requestAnimationFrame(() => field.current?.select());
    else setText('');
    onScan(wanted, by);
  };
  const latest = useRef({ send, text });
  useEffect(() => {
    latest.current = { send, text };
  });
  useEffect(() => {
    const hear = (e: KeyboardEvent) => {
      const own = field.current;
      if (!own || editable(e.target, own)) return;
      const added = typed({ key: e.key, ctrl: e.ctrlKey, alt: e.altKey, meta: e.metaKey });
      const burst = times.current;
      if (burst.length > 0 && e.timeStamp - burst[burst.length - 1]! > 1000) times.current = [];
      if (e.key === 'Enter' && e.target !== own && fast(times.current)) {
        e.preventDefault(); // a scanner's, not a press of the button that has the focus
        latest.current.send(own.value);
        return;
      }
      if (added === undefined) return;
      times.current.push(e.timeStamp);
      // The browser types into a field that has the focus, but for the separator. Space on a button is for the button.
      if (e.target !== own || added === shownGS) {
        if (e.target !== own && added === ' ' && !fast(times.current)) return;
        e.preventDefault();
        const from = e.target === own ? (own.selectionStart ?? own.value.length) : times.current.length === 1 ? 0 : own.value.length;
        const to = e.target === own ? (own.selectionEnd ?? from) : own.value.length;
        own.focus();
        own.setRangeText(added, from, to, 'end'); // at once: the next key may come before React has drawn
        setText(own.value);
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        if (fast(times.current)) latest.current.send(field.current?.value ?? '');
      }, pause);
    };
    window.addEventListener('keydown', hear, true);
    return () => {
      window.removeEventListener('keydown', hear, true);
      clearTimeout(timer.current);
    };
  }, []);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    send(text);
  };
  const paste = (e: ClipboardEvent<HTMLInputElement>) => {
    pasted.current = true;
    const raw = e.clipboardData.getData('text');
    if (!raw.includes('\u001d')) return;
    e.preventDefault(); // a field drops control characters
    const own = e.currentTarget;
    setText(own.value.slice(0, own.selectionStart ?? 0) + shown(raw.trim()) + own.value.slice(own.selectionEnd ?? own.value.length));
  };
  return (
    <>
      <form role="search" onSubmit={submit} className="scan">
        <TextInput
          ref={field}
          label={label}
          description={description}
          value={text}
          onChange={(e) => setText(e.currentTarget.value)}
          onPaste={paste}
          onFocus={(e) => e.currentTarget.select()}
          size="lg"
          autoFocus
          autoComplete="off"
          autoCapitalize="off"
          autoCorrect="off"
          spellCheck={false}
          enterKeyHint="go"
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        <Button type="submit" size="lg">
          {action}
        </Button>
        <Button
          type="button"
          size="lg"
          variant="default"
          onClick={() => setCamera((c) => !c)}
          aria-expanded={camera}
          leftSection={<Icon name="camera" />}
        >
          {t('scan.camera')}
        </Button>
      </form>
      {camera && (
        <Suspense fallback={<Loader role="status" aria-label={t('app.loading')} />}>
          <Camera
            onCode={(code) => {
              setCamera(false);
              setText(shown(code));
              send(shown(code), 'camera');
            }}
            onClose={() => setCamera(false)}
          />
        </Suspense>
      )}
    </>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState, type ClipboardEvent, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { elapse, GS, idle, meant, patience, press, shown, shownGS, type Step } from '../lib/scan/wedge';
import { Icon } from './Icon';
import { later } from './Later';
import './ScanField.css';

const Camera = later(() => import('./Camera'));

/** Where a text came from: a scanner in keyboard mode, hands, the clipboard, the camera. */
export type How = 'wedge' | 'typed' | 'pasted' | 'camera';

/** forText reports whether keys at an element are text for it. */
const forText = (e: EventTarget | null): boolean =>
  e instanceof HTMLElement &&
  (e.isContentEditable ||
    e instanceof HTMLTextAreaElement ||
    (e instanceof HTMLInputElement && !/^(button|checkbox|radio|submit|reset|file|range|color)$/.test(e.type)));

/** forKeys reports whether an element does something with keys: a button with Space, a list with letters. */
const forKeys = (e: EventTarget | null): boolean =>
  e instanceof HTMLElement && e.closest('button, select, input, summary, [role="listbox"], [role="option"]') !== null;

/** write puts a text in place of what is selected. */
function write(field: HTMLInputElement, text: string) {
  field.setRangeText(text, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, 'end');
}

/**
 * ScanField takes what is on a package, however it arrives. It listens to the whole page, so a scan is never lost because something
 * else has the focus; only what is typed into another text field is that field's.
 */
export function ScanField({
  label,
  description,
  action,
  onScan,
  initial = '',
  keep = false,
  many = false,
}: {
  label: string;
  description?: string;
  action: string;
  onScan: (text: string, how: How) => void;
  initial?: string;
  /** Keep the text after it was sent, selected, so that the next scan replaces it. */
  keep?: boolean;
  /** One thing after another: the camera stays open. */
  many?: boolean;
}) {
  const { t } = useTranslation();
  const field = useRef<HTMLInputElement>(null);
  const [camera, setCamera] = useState(false);
  const [caps, setCaps] = useState(false);
  const pasted = useRef(false);
  const send = (text: string, how: How) => {
    const own = field.current;
    pasted.current = false;
    if (own) {
      own.value = keep ? shown(text) : '';
      own.focus();
      own.select();
    }
    onScan(text, how);
  };
  const latest = useRef(send);
  useEffect(() => {
    latest.current = send;
  });
  useEffect(() => {
    if (field.current) field.current.value = shown(initial); // the address changed: the field follows it
  }, [initial]);
  useEffect(() => {
    let heard = idle;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const go = (step: Step) => {
      heard = step.next;
      if (step.scan !== undefined) latest.current(step.scan, 'wedge');
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => go(elapse(heard, performance.now())), patience(heard) + 5);
    };
    const onKey = (e: KeyboardEvent) => {
      const own = field.current;
      if (!own || (e.target !== own && forText(e.target))) return;
      setCaps(e.getModifierState('CapsLock'));
      const step = press(heard, {
        key: e.key,
        code: e.code,
        ctrl: e.ctrlKey,
        alt: e.altKey,
        meta: e.metaKey,
        altGraph: e.getModifierState('AltGraph'),
        repeat: e.repeat,
        at: e.timeStamp,
      });
      if (step.scan !== undefined) e.preventDefault();
      else if (step.added === GS) {
        e.preventDefault();
        if (e.target === own) write(own, shownGS);
      } else if (step.burst && e.target !== own && step.added !== undefined) e.preventDefault();
      else if (step.added !== undefined && e.target !== own && !forKeys(e.target)) {
        own.focus(); // the browser then types into it
        own.select();
      }
      if (step.added !== undefined) wait();
      go(step);
    };
    const onPaste = (e: globalThis.ClipboardEvent) => {
      const own = field.current;
      if (!own || e.target === own || forText(e.target)) return;
      e.preventDefault();
      own.value = shown((e.clipboardData?.getData('text') ?? '').trim());
      own.focus();
      pasted.current = true;
    };
    window.addEventListener('keydown', onKey, true);
    window.addEventListener('paste', onPaste);
    return () => {
      window.removeEventListener('keydown', onKey, true);
      window.removeEventListener('paste', onPaste);
      clearTimeout(timer);
    };
  }, []);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const text = meant(field.current?.value ?? '');
    if (text !== '') send(text, pasted.current ? 'pasted' : 'typed');
  };
  const paste = (e: ClipboardEvent<HTMLInputElement>) => {
    pasted.current = true;
    const raw = e.clipboardData.getData('text');
    if (!raw.includes(GS)) return;
    e.preventDefault(); // the browser would drop the separators
    write(e.currentTarget, shown(raw.trim()));
  };
  return (
    <>
      <form role="search" onSubmit={submit} className="scan">
        <TextInput
          ref={field}
          label={label}
          description={description}
          defaultValue={shown(initial)}
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
      {caps && (
        <p className="scan-caps" role="status">
          <Icon name="warn" /> {t('scan.capsLock')}
        </p>
      )}
      {camera && (
        <Camera
          onCode={(code) => {
            if (!many) setCamera(false);
            send(code, 'camera');
          }}
          onClose={() => setCamera(false)}
        />
      )}
    </>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';

/** Where a text came from: a scanner in keyboard mode, hands, the clipboard, the camera. */
export type How = 'wedge' | 'typed' | 'pasted' | 'camera';

/** ScanField takes what is on a package, however it arrives. */
export function ScanField({
  label,
  description,
  action,
  onScan,
}: {
  label: string;
  description?: string;
  action: string;
  onScan: (text: string, how: How) => void;
}) {
  const [text, setText] = useState('');
  const submit = (e: FormEvent) => {
    e.preventDefault();
    const wanted = text.trim();
    if (wanted === '') return;
    setText('');
    onScan(wanted, 'typed');
  };
  return (
    <form role="search" onSubmit={submit} className="scan">
      <TextInput
        label={label}
        description={description}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
        size="md"
        autoFocus
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
      />
      <Button type="submit" size="md">
        {action}
      </Button>
    </form>
  );
}

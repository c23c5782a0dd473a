import type { Tone } from './Status';
import './Bar.css';

/** Shares of a whole as one bar. The numbers stand beside it in words: this is for the eye alone. */
export function Bar({ parts }: { parts: { key: string; units: number; tone: Tone | 'rest' }[] }) {
  return (
    <div className="parts" aria-hidden="true">
      {parts
        .filter((p) => p.units > 0)
        .map((p) => (
          <span key={p.key} data-tone={p.tone} style={{ flexGrow: p.units }} />
        ))}
    </div>
  );
}

import { excerpt } from './excerpt';
import './excerpt.css';

/** The place in the file that an error is about. */
export function Excerpt({ lines, line, column }: { lines: string[]; line: number; column?: number }) {
  const x = excerpt(lines, line, column);
  if (!x) return null;
  return (
    <pre className="excerpt">
      <span className="quiet">{line} </span>
      {x.before}
      <mark>{x.at || ' '}</mark>
      {x.after}
    </pre>
  );
}

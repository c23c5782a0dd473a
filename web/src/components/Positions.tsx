import { path } from '../lib/router/address';
import { Link } from '../lib/router/router';
import { pieces } from '../lib/guard';

/** Positions is a text of the ledger in which each item that it names leads to its block. */
export function Positions({ text }: { text: string }) {
  return (
    <>
      {pieces(text).map((p, i) =>
        'text' in p ? (
          <span key={i}>{p.text}</span>
        ) : (
          <Link key={i} to={path('block', p.height)} className="mono">
            {p.position}
          </Link>
        ),
      )}
    </>
  );
}

import type { PageProps } from '../../lib/router/page';
import { JobPage } from './JobPage';
import { Send } from './Send';

export default function CapturePage({ pieces }: PageProps) {
  return pieces[0] ? <JobPage key={pieces[0]} id={pieces[0]} /> : <Send />;
}

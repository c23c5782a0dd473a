import type { PageProps } from '../../lib/router/page';
import { RecallDetail } from './RecallDetail';
import { RecallList } from './RecallList';

export default function RecallsPage({ pieces }: PageProps) {
  return pieces[0] ? <RecallDetail key={pieces[0]} number={pieces[0]} /> : <RecallList />;
}

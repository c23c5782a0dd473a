import type { PageProps } from '../../lib/router/page';
import { LotList } from './LotList';
import { NewLot } from './NewLot';
import { Workbench } from './Workbench';

export default function LotsPage({ pieces }: PageProps) {
  if (pieces.length === 2) return <Workbench key={pieces.join('/')} gtin={pieces[0]!} lot={pieces[1]!} />;
  return pieces[0] === 'new' ? <NewLot /> : <LotList />;
}

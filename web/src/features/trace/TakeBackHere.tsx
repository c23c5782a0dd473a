import { TakeBack } from '../../components/TakeBack';
import type { Schemas } from '../../lib/api/client';
import { useMay } from '../../lib/api/setting';
import { dispensedBy, placeOf } from '../../lib/steps';

/** TakeBackHere offers to take a dispensing back that this party recorded, as long as the package counts as dispensed. */
export function TakeBackHere({ trace }: { trace: Schemas['Trace'] }) {
  const { party } = useMay();
  const step = dispensedBy(trace, party);
  return <TakeBack event={step && placeOf(step)} />;
}

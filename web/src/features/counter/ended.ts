// What was done with a package, when that is the last word about it at this counter.
import type { TFunction } from 'i18next';
import { isTold, type How } from '../../lib/outcome';

export interface Ended {
  act: 'dispense' | 'partial' | 'quarantine' | 'return';
  how: How;
}

export const icons = { dispense: 'dispense', partial: 'dispense', quarantine: 'good', return: 'ship' } as const;

/** helpOf says what comes next after an act. */
export function helpOf(t: TFunction, { act, how }: Ended): string {
  return isTold(how) ? t(`outcomeHelp.${how}`) : t(`counter.endedHelp.${act}`);
}

import { useTranslation } from 'react-i18next';
import type { Schemas } from '../lib/api/client';

// What a label may lack without fault: the facts of the package show it.
const quiet = ['NO_LOT', 'NO_EXPIRY'];

/** What was odd about a scan, and what to do about the scanner. */
export function ScanNotes({ remarks }: { remarks: Schemas['Remark'][] | null }) {
  const { t } = useTranslation();
  const codes = [...new Set((remarks ?? []).map((r) => r.code))].filter((code) => !quiet.includes(code));
  if (codes.length === 0) return null;
  return (
    <ul data-testid="scan-notes">
      {codes.map((code) => (
        <li key={code} data-code={code}>
          {t(`scan.note.${code}`, { defaultValue: (remarks ?? []).find((r) => r.code === code)?.detail })}
        </li>
      ))}
    </ul>
  );
}

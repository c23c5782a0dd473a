import { Select } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useParties } from '../lib/api/parties';

const traders = ['manufacturer', 'repackager', 'distributor', '3pl', 'dispenser'];

/** PartySelect chooses a trading partner by name. */
export function PartySelect({
  label,
  value,
  onChange,
  except,
  required,
  size,
}: {
  label: string;
  value: string | null;
  onChange: (party: string | null) => void;
  except?: string;
  required?: boolean;
  size?: 'md' | 'lg';
}) {
  const { t } = useTranslation();
  const parties = useParties();
  const data = (parties.data ?? [])
    .filter((p) => p.id !== except && !p.suspended && (p.roles ?? []).some((r) => traders.includes(r)))
    .map((p) => ({ value: p.id, label: `${p.name} (${p.id})` }));
  return (
    <Select
      label={label}
      placeholder={t('party.choose')}
      data={data}
      value={value}
      onChange={onChange}
      searchable
      required={required}
      size={size}
      disabled={parties.isPending}
      limit={50}
      comboboxProps={{ withinPortal: false }}
      error={parties.isError ? t('problem.silent') : undefined}
    />
  );
}

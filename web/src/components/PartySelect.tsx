import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { api } from '../lib/api/client';

/** useParties lists who is registered. */
export const useParties = () =>
  useQuery({ queryKey: ['parties'], queryFn: async () => (await api.parties()).data.parties ?? [], staleTime: 60_000 });

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

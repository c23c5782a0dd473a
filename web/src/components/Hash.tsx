import { ActionIcon, CopyButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Icon } from './Icon';

/** A hash in short, whole for copying. */
export function Hash({ value, name }: { value: string; name: string }) {
  const { t } = useTranslation();
  return (
    <span className="pair" style={{ display: 'inline-flex', gap: 4, flexWrap: 'nowrap' }}>
      <span className="mono" title={value}>
        {value.length > 20 ? `${value.slice(0, 10)}…${value.slice(-6)}` : value}
      </span>
      <CopyButton value={value}>
        {({ copied, copy }) => (
          <ActionIcon
            size="sm"
            variant="subtle"
            color={copied ? 'green' : 'gray'}
            aria-label={copied ? t('app.copied') : t('app.copy', { name })}
            onClick={copy}
          >
            <Icon name={copied ? 'good' : 'copy'} size={14} />
          </ActionIcon>
        )}
      </CopyButton>
    </span>
  );
}

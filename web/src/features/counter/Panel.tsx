import { Loader } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon, type IconName } from '../../components/Icon';
import type { Tone } from '../../components/Status';

export function Panel({
  kind,
  tone,
  icon,
  title,
  loading,
  children,
}: {
  kind: string;
  tone: Tone;
  icon: IconName;
  title: string;
  loading?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className={`verdict tone-${tone}`} data-testid="verdict" data-kind={kind}>
      {loading ? <Loader size={64} color="gray" /> : <Icon name={icon} size={72} />}
      <div>
        <h2>{title}</h2>
        {children}
      </div>
    </div>
  );
}

import type { ReactNode } from 'react';
import { Icon, type IconName } from './Icon';
import './Status.css';

export type Tone = 'good' | 'warn' | 'bad' | 'calm';

/** Colour never speaks alone: an icon and a word say the same. */
export function Status({ tone, icon, children }: { tone: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className={`status tone-${tone}`}>
      <Icon name={icon ?? tone} size={16} />
      <span>{children}</span>
    </span>
  );
}

export function Note({
  tone,
  title,
  level = 2,
  icon,
  alert,
  children,
}: {
  tone: Tone;
  title: ReactNode;
  level?: 1 | 2 | 3;
  icon?: IconName;
  alert?: boolean;
  children?: ReactNode;
}) {
  const Heading = `h${level}` as const;
  return (
    <div className={`note tone-${tone}`} role={alert ? 'alert' : undefined}>
      <Icon name={icon ?? tone} size={24} />
      <div className="body">
        <Heading>{title}</Heading>
        {children}
      </div>
    </div>
  );
}

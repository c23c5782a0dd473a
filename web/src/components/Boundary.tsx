import { Button } from '@mantine/core';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Note } from './Status';

interface Props {
  /** Where the children are: another place is another attempt. */
  place: string;
  /** What is done before the children are shown again. */
  again?: () => void;
  children: ReactNode;
}

/** Boundary shows what happened when its children cannot be drawn, and draws them again when somebody wants it. */
export class Boundary extends Component<Props, { error?: { what: unknown } }> {
  override state: { error?: { what: unknown } } = {};

  static getDerivedStateFromError(what: unknown) {
    return { error: { what } };
  }

  override componentDidUpdate(before: Props) {
    if (before.place !== this.props.place && this.state.error) this.setState({ error: undefined });
  }

  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <Stopped
        what={this.state.error.what}
        retry={() => {
          this.props.again?.();
          this.setState({ error: undefined });
        }}
      />
    );
  }
}

function Stopped({ what, retry }: { what: unknown; retry: () => void }) {
  const { t } = useTranslation();
  return (
    <div data-testid="stopped">
      <Note tone="warn" alert level={1} title={t('later.stopped')}>
        <p>{t('later.stoppedHelp')}</p>
        <p className="quiet mono" lang="en">
          {what instanceof Error ? what.message : String(what)}
        </p>
        <Button mt="xs" size="sm" onClick={retry}>
          {t('problem.retry')}
        </Button>
      </Note>
    </div>
  );
}

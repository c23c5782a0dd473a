import { Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useElementSize } from '@mantine/hooks';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../../components/Icon';
import type { Schemas } from '../../lib/api/client';
import { printed } from '../../lib/printed';
import { tracePath } from '../../lib/router/address';
import { Link } from '../../lib/router/router';
import { stepName } from '../../lib/steps';
import { at, day } from '../../lib/time';
import { graphOf, layout, listed, type Anchor, type Box, type Station } from './graph';
import './graph.css';

type StationNode = Node<{ station: Station; anchors: Anchor[] }, 'station'>;
type BoxNode = Node<{ box: Box; anchors: Anchor[]; across: boolean }, 'box'>;

const stepID = (s: Schemas['Step']) => `step-${s.position.height}-${s.position.entry}-${s.position.item}`;

/** toStep goes to a step of the timeline below, with the keyboard too. */
function toStep(s: Schemas['Step']) {
  const card = document.getElementById(stepID(s));
  if (!card) return;
  card.tabIndex = -1;
  card.scrollIntoView({ block: 'start' });
  card.focus({ preventScroll: true });
}

/** The way of the package as a picture. The timeline below says the same in words, and more. */
export default function GraphCard({ self, steps }: { self: string; steps: Schemas['Step'][] }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const { ref, width: room } = useElementSize();
  const graph = useMemo(() => graphOf(self, steps), [self, steps]);
  const placed = useMemo(() => layout(graph, room), [graph, room]);
  // All of it is always to be seen: nothing to drag, so that a finger on it scrolls the page.
  const zoom = room > 0 ? Math.min(1, room / placed.width) : 1;
  const nodes = useMemo(
    () =>
      placed.nodes.map((n): StationNode | BoxNode => {
        const common = { id: n.id, position: { x: n.x, y: n.y }, width: n.w, height: n.h };
        const station = graph.stations.find((s) => s.id === n.id);
        if (station) return { ...common, type: 'station', data: { station, anchors: n.anchors } };
        const box = graph.boxes.find((b) => b.id === n.id)!;
        return { ...common, type: 'box', data: { box, anchors: n.anchors, across: placed.across } };
      }),
    [placed, graph],
  );
  const edges = useMemo(
    () =>
      placed.lines.map(({ move, ...l }): Edge => ({
        ...l,
        type: 'straight',
        ...(move
          ? {
              label: day(move.time, language, move.offset),
              markerEnd: { type: MarkerType.ArrowClosed, color: 'var(--calm)', width: 18, height: 18 },
              style: { strokeWidth: 2.5 },
            }
          : { style: { strokeDasharray: '5 4', strokeWidth: 1.5 } }),
      })),
    [placed, language],
  );
  return (
    <div ref={ref} className="graph" role="group" aria-label={t('graph.title')} data-testid="graph" data-across={placed.across}>
      {room > 0 && (
        <div style={{ height: Math.ceil(placed.height * zoom) + 22 }}>
          <ReactFlow
            nodes={nodes}
            edges={edges}
            nodeTypes={types}
            viewport={{ x: Math.max(0, (room - placed.width * zoom) / 2), y: 2, zoom }}
            minZoom={0.1}
            nodesDraggable={false}
            nodesConnectable={false}
            nodesFocusable={false}
            edgesFocusable={false}
            elementsSelectable={false}
            panOnDrag={false}
            panOnScroll={false}
            zoomOnScroll={false}
            zoomOnPinch={false}
            zoomOnDoubleClick={false}
            preventScrolling={false}
          />
        </div>
      )}
    </div>
  );
}

const sides = { top: Position.Top, right: Position.Right, bottom: Position.Bottom, left: Position.Left };

function Anchors({ anchors }: { anchors: Anchor[] }) {
  return anchors.map((a) => (
    <Handle
      key={a.id}
      id={a.id}
      type={a.type}
      position={sides[a.side]}
      isConnectable={false}
      style={a.side === 'top' || a.side === 'bottom' ? { left: a.at } : { top: a.at }}
    />
  ));
}

function StationView({ data: { station, anchors } }: NodeProps<StationNode>) {
  const { t, i18n } = useTranslation();
  return (
    <div className="station">
      <Anchors anchors={anchors} />
      <strong className="one-line">{station.name}</strong>
      {station.place && station.place !== station.name && <div className="quiet one-line">{station.place}</div>}
      <ol>
        {station.steps.slice(0, listed).map((s) => {
          const found = (s.findings ?? []).length;
          return (
            <li key={stepID(s)}>
              <button type="button" title={at(s.eventTime, i18n.language, s.offset)} onClick={() => toStep(s)}>
                <span>{t(`step.${stepName(s)}`, { defaultValue: s.bizStep })}</span>
                {found > 0 && (
                  <span className="flagged">
                    <Icon name="warn" size={14} />
                    <span className="sr">{t('graph.findings', { count: found })}</span>
                    <span aria-hidden="true">{found}</span>
                  </span>
                )}
                <span className="quiet">{day(s.eventTime, i18n.language, s.offset)}</span>
              </button>
            </li>
          );
        })}
        {station.steps.length > listed && <li className="quiet">{t('graph.more', { count: station.steps.length - listed })}</li>}
      </ol>
    </div>
  );
}

function BoxView({ data: { box, anchors, across } }: NodeProps<BoxNode>) {
  const { t } = useTranslation();
  return (
    <div className={across ? 'station box' : 'station box upright'}>
      <Anchors anchors={anchors} />
      <Icon name="pack" size={18} />
      <span className="one-line">
        <Link to={tracePath(box.key)} className="mono">
          {printed(box.key)}
        </Link>
        <span className={across ? 'quiet' : 'sr'} style={across ? { display: 'block' } : undefined}>
          {t(box.to ? 'graph.wasIn' : 'graph.isIn', { what: t(box.depth === 0 ? 'graph.thing' : 'graph.boxBefore') })}
        </span>
      </span>
    </div>
  );
}

const types = { station: StationView, box: BoxView };

import { Controls, Handle, MarkerType, Position, ReactFlow, type Edge, type Node, type NodeProps } from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/client';
import { tracePath, useNavigation } from '../../app/router';
import { Icon } from '../../components/Icon';
import { printed } from '../../lib/printed';
import { at } from '../../lib/time';
import { graphOf, type Box, type Station } from './graph';

type StationNode = Node<{ station: Station }, 'station'>;
type BoxNode = Node<{ box: Box }, 'box'>;

const width = 250;
const gap = 110;
const boxTop = 190;

/** The way of the package as a picture. The timeline below says the same in words, and more. */
export default function GraphCard({ self, steps }: { self: string; steps: Schemas['Step'][] }) {
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const { go } = useNavigation();
  const { nodes, edges, height } = useMemo(() => {
    const g = graphOf(self, steps);
    const x = (id: string) => g.stations.findIndex((s) => s.id === id) * (width + gap);
    const deepest = Math.max(-1, ...g.boxes.map((b) => b.depth));
    // Boxes that begin at one station stand below each other.
    const rows = new Map<string, number>();
    const nodes: (StationNode | BoxNode)[] = g.stations.map((station) => ({
      id: station.id,
      type: 'station',
      position: { x: x(station.id), y: 0 },
      data: { station },
      ariaLabel: `${station.party}: ${station.steps.map((s) => t(`step.${s.bizStep}`, { defaultValue: s.bizStep })).join(', ')}`,
    }));
    for (const box of g.boxes) {
      const row = rows.get(box.from) ?? 0;
      rows.set(box.from, row + 1);
      const to = box.to ?? g.stations[g.stations.length - 1]!.id;
      nodes.push({
        id: box.id,
        type: 'box',
        position: { x: (x(box.from) + x(to)) / 2, y: boxTop + row * 84 },
        data: { box },
        ariaLabel: t('graph.inside', { name: printed(box.key) }),
      });
    }
    const edges: Edge[] = [
      ...g.moves.map((m) => ({
        id: m.id,
        source: m.from,
        target: m.to,
        label: at(m.time, language).split(',').slice(0, 2).join(','),
        markerEnd: { type: MarkerType.ArrowClosed },
        style: { strokeWidth: 2.5 },
      })),
      ...g.boxes.flatMap((b) => [
        { id: `${b.id}i`, source: b.from, sourceHandle: 'down', target: b.id, style: { strokeDasharray: '5 4' } },
        ...(b.to ? [{ id: `${b.id}o`, source: b.id, target: b.to, targetHandle: 'up', style: { strokeDasharray: '5 4' } }] : []),
      ]),
    ];
    return { nodes, edges, height: 240 + (deepest >= 0 ? Math.max(...rows.values()) * 84 : -20) };
  }, [self, steps, t, language]);
  return (
    <div
      className="graph"
      style={{ height: Math.min(560, Math.max(240, height)) }}
      role="region"
      aria-label={t('graph.title')}
      data-testid="graph"
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={types}
        fitView
        fitViewOptions={{ padding: 0.08, maxZoom: 1 }}
        minZoom={0.15}
        nodesDraggable={false}
        nodesConnectable={false}
        edgesFocusable={false}
        zoomOnScroll={false}
        preventScrolling={false}
        onNodeClick={(_, n) => {
          if (n.type === 'box') go(tracePath((n as BoxNode).data.box.key));
          else {
            const s = (n as StationNode).data.station.steps[0];
            document
              .getElementById(`step-${s?.position.height}-${s?.position.entry}-${s?.position.item}`)
              ?.scrollIntoView({ block: 'start' });
          }
        }}
      >
        <Controls showInteractive={false} aria-label={t('graph.controls')} />
      </ReactFlow>
    </div>
  );
}

function StationView({ data: { station } }: NodeProps<StationNode>) {
  const { t } = useTranslation();
  return (
    <div className="station" style={{ width }}>
      <Handle type="target" position={Position.Left} />
      <Handle type="target" id="up" position={Position.Bottom} style={{ left: '35%' }} />
      <strong>{station.party}</strong>
      {station.place && <div className="quiet">{station.place}</div>}
      <div>{[...new Set(station.steps.map((s) => t(`step.${s.bizStep}`, { defaultValue: s.bizStep })))].join(' · ')}</div>
      {station.findings > 0 && (
        <div className="flagged">
          <Icon name="warn" size={16} /> {t('graph.findings', { count: station.findings })}
        </div>
      )}
      <Handle type="source" position={Position.Right} />
      <Handle type="source" id="down" position={Position.Bottom} style={{ left: '65%' }} />
    </div>
  );
}

function BoxView({ data: { box } }: NodeProps<BoxNode>) {
  const { t } = useTranslation();
  return (
    <div className="station box" style={{ width }}>
      <Handle type="target" position={Position.Left} />
      <Icon name="pack" size={18} /> <span className="mono">{printed(box.key)}</span>
      <div className="quiet">{box.to ? t('graph.wasIn') : t('graph.isIn')}</div>
      <Handle type="source" position={Position.Right} />
    </div>
  );
}

const types = { station: StationView, box: BoxView };

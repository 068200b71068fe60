import {
  applyNodeChanges,
  Background,
  type Connection,
  Controls,
  type Edge as FlowEdge,
  type Node as FlowNode,
  Handle,
  MarkerType,
  type NodeChange,
  type NodeProps,
  Position,
  ReactFlow,
  useNodesInitialized,
  useReactFlow,
} from '@xyflow/react'
import '@xyflow/react/dist/base.css'
import './flow.css'
import { type KeyboardEvent, useEffect, useMemo, useState } from 'react'
import { announce } from '@/live/announce'
import {
  connect,
  disconnect,
  edgesOf,
  GRID,
  moveNode,
  nodeOf,
  placed,
  removeNode,
  whyNotConnect,
} from './graph'
import { countByNode } from './problems'
import { useActions, useDoc, useEditor } from './store'
import type { Doc, StrategyNode } from './strategy'
import { KIND_NAME, nodeSummary, plural } from './words'

type Block = FlowNode<{ node: StrategyNode; problems: number }, 'block'>

const FIT = { maxZoom: 1, padding: 0.15 }
const TYPES = { block: BlockNode }
const FIELDS = 'input, textarea, select'

/** The graph as it is drawn. Arrow keys move the focused block, Delete removes what is selected. */
export default function Canvas() {
  const doc = useDoc()
  const selected = useEditor((editor) => editor.selected)
  const problems = useEditor((editor) => editor.problems)
  const { change, select } = useActions()
  const [edge, setEdge] = useState<string>()
  const wanted = useMemo(() => blocksOf(doc, selected, problems), [doc, selected, problems])
  const [blocks, setBlocks] = useState<Block[]>(wanted)
  useEffect(() => setBlocks((now) => keepMeasured(now, wanted)), [wanted])

  const onNodesChange = (changes: NodeChange<Block>[]) => {
    setBlocks((now) => applyNodeChanges(changes, now))
    for (const one of changes) {
      if (one.type === 'select' && one.selected) {
        select(one.id)
        setEdge(undefined)
      }
      if (one.type === 'position' && one.position && !one.dragging) {
        const { x, y } = one.position
        change((now) => moveTo(now, one.id, x, y), { mark: `move ${one.id}` })
      }
    }
  }
  const onConnect = ({ source, target }: Connection) =>
    change((now) => connect(now, source, target), { said: `Connected ${source} to ${target}` })
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Delete' && event.key !== 'Backspace') return
    if (event.target instanceof Element && event.target.closest(FIELDS)) return
    event.preventDefault()
    const chosen = doc.strategy.edges.find((one) => edgeId(one) === edge)
    if (chosen) {
      change((now) => disconnect(now, chosen.source, chosen.target), { said: 'Disconnected' })
    } else if (selected !== undefined && nodeOf(doc, selected)) {
      const gone = edgesOf(doc, selected).length
      change((now) => removeNode(now, selected), {
        said: `Removed ${selected}${gone > 0 ? ` with ${plural(gone, 'connection')}` : ''}`,
      })
    }
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys of the blocks inside, which can have the focus
    <div className="h-full border border-line bg-surface" data-testid="canvas" onKeyDown={onKeyDown}>
      <ReactFlow<Block>
        nodes={blocks}
        edges={doc.strategy.edges.map((one) => edgeOf(one, edge))}
        nodeTypes={TYPES}
        onNodesChange={onNodesChange}
        onEdgesChange={(changes) => {
          for (const one of changes) {
            if (one.type === 'select') setEdge(one.selected ? one.id : undefined)
          }
        }}
        onConnect={onConnect}
        onConnectEnd={(_, { fromNode, toNode, isValid }) => {
          if (fromNode && toNode && !isValid) {
            announce(whyNotConnect(doc, fromNode.id, toNode.id) ?? 'Connect from right to left.')
          }
        }}
        isValidConnection={({ source, target }) => whyNotConnect(doc, source, target) === undefined}
        onPaneClick={() => {
          select(undefined)
          setEdge(undefined)
        }}
        deleteKeyCode={null}
        multiSelectionKeyCode={null}
        selectionKeyCode={null}
        snapToGrid
        snapGrid={[GRID, GRID]}
        fitView
        fitViewOptions={FIT}
        minZoom={0.3}
        proOptions={{ hideAttribution: true }}
        aria-label="Strategy graph"
      >
        <Background gap={GRID} size={1} color="var(--line)" />
        <Controls showInteractive={false} />
        <FitAll count={doc.strategy.nodes.length} />
      </ReactFlow>
    </div>
  )
}

/** Brings every block into view when there are more or fewer of them. */
function FitAll({ count }: { count: number }) {
  const { fitView } = useReactFlow()
  const measured = useNodesInitialized()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the count is what it is about
  useEffect(() => {
    if (measured) void fitView(FIT)
  }, [measured, count, fitView])
  return null
}

function BlockNode({ data, selected }: NodeProps<Block>) {
  const { node, problems } = data
  return (
    <div
      data-testid={`block-${node.id}`}
      className={`w-50 border bg-raised px-3 py-2 text-left ${selected ? 'border-accent' : problems > 0 ? 'border-warn' : 'border-input'}`}
    >
      {node.kind !== 'data_stream' && <Handle type="target" position={Position.Left} />}
      <div className="flex items-baseline justify-between gap-2">
        <span className="text-sm font-medium">{KIND_NAME[node.kind]}</span>
        <span className="figure truncate text-xs text-muted">{node.id}</span>
      </div>
      <p className="mt-1 line-clamp-3 text-xs break-words text-muted">{nodeSummary(node)}</p>
      {problems > 0 && <p className="mt-1 text-xs text-warn">{plural(problems, 'problem')}</p>}
      {node.kind !== 'trading_clone' && <Handle type="source" position={Position.Right} />}
    </div>
  )
}

const edgeId = ({ source, target }: { source: string; target: string }) => `${source}->${target}`

function edgeOf(one: { source: string; target: string }, selected: string | undefined): FlowEdge {
  const id = edgeId(one)
  return {
    id,
    ...one,
    selected: id === selected,
    interactionWidth: 24,
    markerEnd: { type: MarkerType.ArrowClosed },
    ariaLabel: `${one.source} to ${one.target}`,
  }
}

function moveTo(doc: Doc, id: string, x: number, y: number): Doc {
  const place = placed(doc)[id]
  return place?.[0] === Math.round(x) && place[1] === Math.round(y) ? doc : moveNode(doc, id, x, y)
}

function blocksOf(
  doc: Doc,
  selected: string | undefined,
  problems: Parameters<typeof countByNode>[0],
): Block[] {
  const places = placed(doc)
  const counts = countByNode(problems)
  return doc.strategy.nodes.map((node) => {
    const [x, y] = places[node.id] ?? [0, 0]
    return {
      id: node.id,
      type: 'block',
      position: { x, y },
      selected: node.id === selected,
      ariaLabel: `${KIND_NAME[node.kind]} ${node.id}: ${nodeSummary(node)}`,
      data: { node, problems: counts.get(node.id) ?? 0 },
    }
  })
}

/** What the canvas has measured stays, or every keystroke would hide the blocks for a moment. */
function keepMeasured(now: readonly Block[], wanted: readonly Block[]): Block[] {
  const known = new Map(now.map((one) => [one.id, one]))
  return wanted.map((one) => {
    const measured = known.get(one.id)?.measured
    return measured ? { ...one, measured } : one
  })
}

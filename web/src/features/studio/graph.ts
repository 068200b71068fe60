/** What can be done to a strategy graph. Pure: every function returns a new document. */
import { INTERVAL_DEFAULT } from './features'
import {
  type CloneNode,
  type Doc,
  type Edge,
  type Layout,
  NODE_KINDS,
  NODES_MAX,
  type NodeKind,
  PPM,
  type StrategyNode,
} from './strategy'

export const GRID = 20
const COLUMN_WIDTH = 260
const ROW_HEIGHT = 180
const ID = /^[a-z0-9_]{1,24}$/

/** Which kinds follow a kind on the way from data to clone. */
const NEXT: Record<NodeKind, readonly NodeKind[]> = {
  data_stream: ['asset'],
  asset: ['trading_prompt', 'rule'],
  trading_prompt: ['trading_clone'],
  rule: ['trading_clone'],
  trading_clone: [],
}

const COLUMN: Record<NodeKind, number> = {
  data_stream: 0,
  asset: 1,
  trading_prompt: 2,
  rule: 2,
  trading_clone: 3,
}

const ID_STEM: Record<NodeKind, string> = {
  data_stream: 'stream',
  asset: 'markets',
  trading_prompt: 'prompt',
  rule: 'rule',
  trading_clone: 'clone',
}

export const nodeOf = (doc: Doc, id: string | undefined) => doc.strategy.nodes.find((node) => node.id === id)

export const cloneNodeOf = (doc: Doc) =>
  doc.strategy.nodes.find((node): node is CloneNode => node.kind === 'trading_clone')

/** Why a block of this kind cannot be added, or undefined. */
export function whyNotAdd(doc: Doc, kind: NodeKind): string | undefined {
  if (kind === 'trading_clone' && cloneNodeOf(doc)) return 'A strategy has one trading clone.'
  return doc.strategy.nodes.length >= NODES_MAX ? `A strategy has at most ${NODES_MAX} blocks.` : undefined
}

/** A new block with an id and a place of its own. The document as it was when there is no room for it. */
export function addNode(doc: Doc, kind: NodeKind): { doc: Doc; id: string | undefined } {
  if (whyNotAdd(doc, kind)) return { doc, id: undefined }
  const id = freeId(doc, ID_STEM[kind])
  const node = newNode(kind, id)
  const place = freePlace(doc, kind)
  return {
    id,
    doc: {
      strategy: { ...doc.strategy, nodes: [...doc.strategy.nodes, node] },
      layout: { ...doc.layout, [id]: place },
    },
  }
}

function newNode(kind: NodeKind, id: string): StrategyNode {
  switch (kind) {
    case 'data_stream':
      return { kind, id, interval: INTERVAL_DEFAULT, candles: 0, features: [] }
    case 'asset':
      return { kind, id, markets: [] }
    case 'trading_prompt':
      return { kind, id, text: '' }
    case 'rule':
      return { kind, id, clauses: [] }
    case 'trading_clone':
      return { kind, id, cadence_s: 60, max_leverage: 1, max_position_ppm: PPM, model: null }
  }
}

function freeId(doc: Doc, stem: string): string {
  const taken = new Set(doc.strategy.nodes.map((node) => node.id))
  let id = stem
  for (let number = 2; taken.has(id); number += 1) id = `${stem}_${number}`
  return id
}

function freePlace(doc: Doc, kind: NodeKind): [number, number] {
  const x = COLUMN[kind] * COLUMN_WIDTH
  const places = Object.values(placed(doc))
  let y = 0
  while (places.some((place) => Math.abs(place[0] - x) < 200 && Math.abs(place[1] - y) < 140)) y += GRID
  return [x, y]
}

/** Every block with a place: those never moved stand in the column of their kind. */
export function placed(doc: Doc): Layout {
  const rows = [0, 0, 0, 0]
  const layout: Layout = {}
  for (const node of doc.strategy.nodes) {
    const column = COLUMN[node.kind]
    const row = rows[column] ?? 0
    rows[column] = row + 1
    layout[node.id] = doc.layout[node.id] ?? [column * COLUMN_WIDTH, row * ROW_HEIGHT]
  }
  return layout
}

export function moveNode(doc: Doc, id: string, x: number, y: number): Doc {
  return { ...doc, layout: { ...placed(doc), [id]: [Math.round(x), Math.round(y)] } }
}

export function updateNode<K extends NodeKind>(
  doc: Doc,
  id: string,
  change: Partial<Extract<StrategyNode, { kind: K }>>,
): Doc {
  const nodes = doc.strategy.nodes.map((node) =>
    node.id === id ? ({ ...node, ...change, id, kind: node.kind } as StrategyNode) : node,
  )
  return { ...doc, strategy: { ...doc.strategy, nodes } }
}

/** Why a block cannot be called this, or undefined. */
export function whyNotRename(doc: Doc, id: string, next: string): string | undefined {
  if (!ID.test(next)) return 'Use 1 to 24 small letters, digits and underscores.'
  return next !== id && nodeOf(doc, next) ? 'Another block is called this.' : undefined
}

/** Edges follow the block. */
export function renameNode(doc: Doc, id: string, next: string): Doc {
  if (next === id || whyNotRename(doc, id, next)) return doc
  const renamed = (one: string) => (one === id ? next : one)
  const { [id]: place, ...layout } = placed(doc)
  return {
    strategy: {
      ...doc.strategy,
      nodes: doc.strategy.nodes.map((node) => (node.id === id ? { ...node, id: next } : node)),
      edges: doc.strategy.edges.map((edge) => ({
        source: renamed(edge.source),
        target: renamed(edge.target),
      })),
    },
    layout: { ...layout, [next]: place ?? [0, 0] },
  }
}

/** The connections that would go with a block: the person is told before and after. */
export const edgesOf = (doc: Doc, id: string): Edge[] =>
  doc.strategy.edges.filter((edge) => edge.source === id || edge.target === id)

export function removeNode(doc: Doc, id: string): Doc {
  const { [id]: _, ...layout } = doc.layout
  const gone = edgesOf(doc, id)
  return {
    strategy: {
      ...doc.strategy,
      nodes: doc.strategy.nodes.filter((node) => node.id !== id),
      edges: doc.strategy.edges.filter((edge) => !gone.includes(edge)),
    },
    layout,
  }
}

/** Why two blocks cannot be connected, or undefined. */
export function whyNotConnect(doc: Doc, source: string, target: string): string | undefined {
  const from = nodeOf(doc, source)
  const to = nodeOf(doc, target)
  if (!from || !to) return 'There is no such block.'
  if (!NEXT[from.kind].includes(to.kind)) return 'These two kinds of blocks do not follow each other.'
  const known = doc.strategy.edges.some((edge) => edge.source === source && edge.target === target)
  return known ? 'They are connected already.' : undefined
}

/** Adds a connection and never takes another one away. */
export function connect(doc: Doc, source: string, target: string): Doc {
  if (whyNotConnect(doc, source, target)) return doc
  return {
    ...doc,
    strategy: { ...doc.strategy, edges: [...doc.strategy.edges, { source, target }] },
  }
}

export function disconnect(doc: Doc, source: string, target: string): Doc {
  const edges = doc.strategy.edges.filter((edge) => edge.source !== source || edge.target !== target)
  return { ...doc, strategy: { ...doc.strategy, edges } }
}

/** The blocks that this one can be connected to, in drawing order. */
export const targetsFor = (doc: Doc, id: string): StrategyNode[] =>
  doc.strategy.nodes.filter((node) => whyNotConnect(doc, id, node.id) === undefined)

/** The blocks in the order of the way from data to clone: how an outline lists them. */
export function inOrder(doc: Doc): StrategyNode[] {
  const rank = (node: StrategyNode) => COLUMN[node.kind] * 10 + NODE_KINDS.indexOf(node.kind)
  return [...doc.strategy.nodes].sort((a, b) => rank(a) - rank(b))
}

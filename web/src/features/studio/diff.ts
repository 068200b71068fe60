/** What differs between two versions, in rows to read. Pure. */
import type { Edge } from './strategy'

/** As the server tells it: null is a field that is not there. */
export interface StrategyDiff {
  nodes: {
    node_id: string
    kind: string
    change: 'added' | 'removed' | 'changed'
    fields: { path: string; before: unknown; after: unknown }[]
  }[]
  edges_added: Edge[]
  edges_removed: Edge[]
}

export interface DiffRow {
  sign: '+' | '−' | '~'
  text: string
  before?: string
  after?: string
}

export function diffRows(diff: StrategyDiff): DiffRow[] {
  const edge = ({ source, target }: Edge) => `${source} → ${target}`
  const nodes = diff.nodes.flatMap((node): DiffRow[] => {
    if (node.change === 'added') return [{ sign: '+', text: `block ${node.node_id}` }]
    if (node.change === 'removed') return [{ sign: '−', text: `block ${node.node_id}` }]
    return node.fields.map(({ path, before, after }) => ({
      sign: '~',
      text: `${node.node_id}.${path}`,
      before: valueText(before),
      after: valueText(after),
    }))
  })
  return [
    ...nodes,
    ...diff.edges_added.map((one): DiffRow => ({ sign: '+', text: edge(one) })),
    ...diff.edges_removed.map((one): DiffRow => ({ sign: '−', text: edge(one) })),
  ]
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The diff inside of a refusal, if there is one. */
export function diffIn(body: Readonly<Record<string, unknown>>): StrategyDiff | undefined {
  const given = body.diff as StrategyDiff | undefined
  return Array.isArray(given?.nodes) ? given : undefined
}

/** The number of the version that stands in the way, inside of a refusal. */
export function currentIn(body: Readonly<Record<string, unknown>>): number | undefined {
  const current = body.current as { number?: unknown } | undefined
  return typeof current?.number === 'number' ? current.number : undefined
}

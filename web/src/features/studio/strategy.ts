/** The strategy graph as it is kept: the same fields and names as the published schema. Pure. */

export const SCHEMA = 'strategy/1'
export const CADENCES_S = [60, 300, 900, 3_600, 14_400] as const
export const PROMPT_CHARS_MAX = 8_000
export const CLAUSES_MAX = 16
export const LEVERAGE_MAX = 20
export const PPM = 1_000_000
export const MARKETS_MAX = 6
export const FEATURES_MAX = 24
export const NODES_MAX = 32
export const CANDLES_MAX = 100
export const CONDITIONS_MAX = 8
export const SEED_MAX = 2 ** 31 - 1

export const NODE_KINDS = ['data_stream', 'asset', 'trading_prompt', 'rule', 'trading_clone'] as const
export type NodeKind = (typeof NODE_KINDS)[number]

export interface Feature {
  name: string
  interval: string | null
  period: number | null
}

export type Unit = 'price' | 'ratio' | 'index' | 'amount'
export type Op = 'above' | 'below'

export type Operand =
  | { kind: 'feature'; feature: Feature; scale_ppm: number }
  | { kind: 'number'; value: string; unit: Unit }
  | { kind: 'position'; which: 'share' | 'return' }

export type Condition =
  | { kind: 'compare' | 'cross'; left: Operand; op: Op; right: Operand }
  | { kind: 'all' | 'any'; conditions: Condition[] }
  | { kind: 'not'; condition: Condition }
  | { kind: 'always' }
  | { kind: 'chance'; ppm: number; seed: number }

export type RuleAction =
  | {
      kind: 'target'
      share_ppm: number
      leverage: number
      band_ppm: number
      stop_ppm: number | null
      target_ppm: number | null
    }
  | { kind: 'close' }
  | { kind: 'hold' }

export interface Clause {
  when: Condition
  then: RuleAction
}

export interface StreamNode {
  kind: 'data_stream'
  id: string
  interval: string
  candles: number
  features: Feature[]
}
export interface AssetNode {
  kind: 'asset'
  id: string
  markets: string[]
}
export interface PromptNode {
  kind: 'trading_prompt'
  id: string
  text: string
}
export interface RuleNode {
  kind: 'rule'
  id: string
  clauses: Clause[]
}
export interface CloneNode {
  kind: 'trading_clone'
  id: string
  cadence_s: number
  max_leverage: number
  max_position_ppm: number
  model: string | null
}
export type StrategyNode = StreamNode | AssetNode | PromptNode | RuleNode | CloneNode

export interface Edge {
  source: string
  target: string
}

export interface Strategy {
  schema: typeof SCHEMA
  nodes: StrategyNode[]
  edges: Edge[]
}

/** Where blocks lie on the canvas, by id: no part of the strategy. */
export type Layout = Record<string, [x: number, y: number]>

/** What the editor edits. */
export interface Doc {
  strategy: Strategy
  layout: Layout
}

export const emptyDoc = (): Doc => ({ strategy: { schema: SCHEMA, nodes: [], edges: [] }, layout: {} })

/** The strategy with every field that may be left out, so that equal strategies look equal. */
export function withDefaults(strategy: Strategy): Strategy {
  return {
    schema: SCHEMA,
    nodes: strategy.nodes.map(nodeWithDefaults),
    edges: strategy.edges.map(({ source, target }) => ({ source, target })),
  }
}

function nodeWithDefaults(node: StrategyNode): StrategyNode {
  switch (node.kind) {
    case 'data_stream':
      return {
        ...node,
        candles: node.candles ?? 0,
        features: (node.features ?? []).map(featureWithDefaults),
      }
    case 'rule':
      return {
        ...node,
        clauses: node.clauses.map(({ when, then }) => ({
          when: conditionWithDefaults(when),
          // biome-ignore lint/suspicious/noThenProperty: `then` is a word of the published schema
          then: actionWithDefaults(then),
        })),
      }
    case 'trading_clone':
      return {
        ...node,
        max_leverage: node.max_leverage ?? 1,
        max_position_ppm: node.max_position_ppm ?? PPM,
        model: node.model ?? null,
      }
    case 'asset':
    case 'trading_prompt':
      return node
  }
}

const featureWithDefaults = ({ name, interval, period }: Feature): Feature => ({
  name,
  interval: interval ?? null,
  period: period ?? null,
})

function conditionWithDefaults(condition: Condition): Condition {
  switch (condition.kind) {
    case 'compare':
    case 'cross':
      return {
        ...condition,
        left: operandWithDefaults(condition.left),
        right: operandWithDefaults(condition.right),
      }
    case 'all':
    case 'any':
      return { ...condition, conditions: condition.conditions.map(conditionWithDefaults) }
    case 'not':
      return { ...condition, condition: conditionWithDefaults(condition.condition) }
    case 'always':
    case 'chance':
      return condition
  }
}

function operandWithDefaults(operand: Operand): Operand {
  if (operand.kind !== 'feature') return operand
  return {
    ...operand,
    feature: featureWithDefaults(operand.feature),
    scale_ppm: operand.scale_ppm ?? PPM,
  }
}

function actionWithDefaults(action: RuleAction): RuleAction {
  if (action.kind !== 'target') return action
  return {
    ...action,
    leverage: action.leverage ?? 1,
    band_ppm: action.band_ppm ?? 0,
    stop_ppm: action.stop_ppm ?? null,
    target_ppm: action.target_ppm ?? null,
  }
}

/** The same text for the same strategy, in whatever order it was drawn. */
export function canonicalText(strategy: Strategy): string {
  const whole = withDefaults(strategy)
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)
  const edgeKey = (edge: Edge) => `${edge.source} ${edge.target}`
  const edges = [...whole.edges].sort((a, b) => (edgeKey(a) < edgeKey(b) ? -1 : 1))
  return JSON.stringify({ ...whole, nodes: [...whole.nodes].sort(byId), edges }, sortedKeys)
}

/** The same text for the same document: what decides whether there is anything to save. */
export function docText(doc: Doc): string {
  const ids = new Set(doc.strategy.nodes.map((node) => node.id))
  const places = Object.entries(doc.layout)
    .filter(([id]) => ids.has(id))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `${canonicalText(doc.strategy)}${JSON.stringify(places)}`
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

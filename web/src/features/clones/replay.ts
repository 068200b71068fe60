/** Deciding a recorded context again: what can stand in for what decided, and both decisions side by side. Pure. */
import type { components } from '@/api/schema'
import type { Instead, Replay, RuleNode } from './api'

type Schemas = components['schemas']
type Strategy = Schemas['Strategy']
type Recorded = Schemas['ProposalItem']
type Replayed = Schemas['JudgedProposal']

export const INSTEADS = ['model', 'prompt', 'rule', 'version'] as const
export type InsteadKind = (typeof INSTEADS)[number]

const RULE_ID = 'instead'
const PPM = 1_000_000

/** What decided then, as far as it can be written over. */
export interface Decided {
  model: string
  prompt: string
}

export function decidedBy(strategy: Strategy): Decided {
  let model = ''
  let prompt = ''
  for (const node of strategy.nodes) {
    if (node.kind === 'trading_clone') model = node.model ?? ''
    if (node.kind === 'trading_prompt' && !prompt) prompt = node.text
  }
  return { model, prompt }
}

/** The kinds of replacement that mean something: words need a model that reads them. */
export const insteadsFor = ({ prompt }: Decided): readonly InsteadKind[] =>
  prompt ? INSTEADS : ['rule', 'version']

/** Rules that need nothing of the context. */
export const PLAIN_RULES = [
  ['hold', 'Hold, whatever comes'],
  ['close', 'Close everything'],
  ['long', 'Be long'],
  ['short', 'Be short (perpetuals)'],
] as const
export type PlainRule = (typeof PLAIN_RULES)[number][0]

export function plainRule(kind: PlainRule, sharePpm: number): RuleNode {
  const target = (share_ppm: number) => ({
    kind: 'target' as const,
    share_ppm,
    leverage: 1,
    band_ppm: 0,
    stop_ppm: null,
    target_ppm: null,
  })
  const then =
    kind === 'hold' || kind === 'close'
      ? { kind }
      : target(Math.min(PPM, sharePpm) * (kind === 'short' ? -1 : 1))
  return { kind: 'rule', id: RULE_ID, clauses: [{ when: { kind: 'always' }, then }] }
}

/** The first rule of a strategy. */
export function ruleIn(strategy: Strategy): RuleNode | undefined {
  return strategy.nodes.find((node): node is RuleNode => node.kind === 'rule')
}

/** A block of a strategy that decides, as it can decide in the place of another one. */
export interface Part {
  id: string
  name: string
  instead: Instead
}

/** Everything in a strategy that decides. Words bring the model that reads them. */
export function partsIn(strategy: Strategy): Part[] {
  const { model } = decidedBy(strategy)
  return strategy.nodes.flatMap((node): Part[] => {
    if (node.kind === 'rule') return [{ id: node.id, name: 'Rule', instead: { rule: node } }]
    if (node.kind !== 'trading_prompt') return []
    return [{ id: node.id, name: 'Words', instead: { model, prompt: node.text } }]
  })
}

/** Whether a model is asked for it. */
export const asksModel = (instead: Instead | undefined) => instead !== undefined && !('rule' in instead)

export interface Typed {
  kind: InsteadKind
  model: string
  prompt: string
  rule: RuleNode | undefined
  part: Instead | undefined
}

/** What to send; undefined while it would say nothing. */
export function insteadOf({ kind, model, prompt, rule, part }: Typed): Instead | undefined {
  if (kind === 'model') return /^[^:\s]+:\S+$/.test(model.trim()) ? { model: model.trim() } : undefined
  if (kind === 'prompt') return prompt.trim() ? { prompt: prompt.trim() } : undefined
  return kind === 'version' ? part : rule && { rule }
}

export interface Pair {
  market: string
  recorded: Recorded | undefined
  replayed: Replayed | undefined
}

/** Both decisions, market by market, in the order of then. */
export function pairsOf({ recorded, replayed }: Pick<Replay, 'recorded' | 'replayed'>): Pair[] {
  const markets = [...new Set([...recorded, ...replayed].map((one) => one.market))]
  return markets.map((market) => ({
    market,
    recorded: recorded.find((one) => one.market === market),
    replayed: replayed.find((one) => one.market === market),
  }))
}

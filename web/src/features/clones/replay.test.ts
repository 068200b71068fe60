import { expect, test } from 'vitest'
import { asksModel, decidedBy, insteadOf, insteadsFor, pairsOf, partsIn, plainRule, ruleIn } from './replay'

const strategy = (decider: object, model: string | null) =>
  ({
    schema: 'strategy/1',
    nodes: [decider, { kind: 'trading_clone', id: 'clone', model }],
    edges: [],
  }) as unknown as Parameters<typeof decidedBy>[0]

test('a prompt may be replaced by a model, by words, by a rule or by a version, a rule only by the last two', () => {
  const asked = decidedBy(strategy({ kind: 'trading_prompt', id: 'p', text: 'Be calm.' }, 'openai:x'))
  expect(asked).toEqual({ model: 'openai:x', prompt: 'Be calm.' })
  expect(insteadsFor(asked)).toEqual(['model', 'prompt', 'rule', 'version'])
  const ruled = decidedBy(strategy({ kind: 'rule', id: 'r', clauses: [] }, null))
  expect(insteadsFor(ruled)).toEqual(['rule', 'version'])
})

test('nothing is sent while it would say nothing', () => {
  const typed = { kind: 'model', model: 'gpt', prompt: ' ', rule: undefined, part: undefined } as const
  expect(insteadOf(typed)).toBeUndefined()
  expect(insteadOf({ ...typed, model: ' openai:gpt-5 ' })).toEqual({ model: 'openai:gpt-5' })
  expect(insteadOf({ ...typed, kind: 'prompt' })).toBeUndefined()
  expect(insteadOf({ ...typed, kind: 'rule' })).toBeUndefined()
})

test('a version stands in with its rule, or with its words and the model that reads them', () => {
  const rule = plainRule('hold', 0)
  const both = strategy({ kind: 'trading_prompt', id: 'p', text: 'Be calm.' }, 'openai:x')
  both.nodes.push(rule)
  expect(partsIn(both)).toEqual([
    { id: 'p', name: 'Words', instead: { model: 'openai:x', prompt: 'Be calm.' } },
    { id: 'instead', name: 'Rule', instead: { rule } },
  ])
  expect(partsIn(both).map((part) => asksModel(part.instead))).toEqual([true, false])
  const typed = { kind: 'version', model: 'm', prompt: 'p', rule, part: undefined } as const
  expect(insteadOf(typed)).toBeUndefined()
  expect(insteadOf({ ...typed, part: { rule } })).toEqual({ rule })
})

test('a plain rule always does one thing', () => {
  const [clause] = plainRule('close', 0).clauses
  expect([clause?.when.kind, clause?.then.kind]).toEqual(['always', 'close'])
  expect(plainRule('short', 500_000).clauses[0]?.then).toMatchObject({ kind: 'target', share_ppm: -500_000 })
  expect(plainRule('long', 9_000_000).clauses[0]?.then).toMatchObject({ share_ppm: 1_000_000 })
  const rule = plainRule('hold', 0)
  expect(ruleIn(strategy(rule, null))).toBe(rule)
})

test('decisions stand side by side by market, also where only one of them spoke', () => {
  const one = (market: string) => ({ market }) as never
  const pairs = pairsOf({ recorded: [one('SOL-USDC')], replayed: [one('BTC-USDC'), one('SOL-USDC')] })
  expect(pairs.map((pair) => [pair.market, Boolean(pair.recorded), Boolean(pair.replayed)])).toEqual([
    ['SOL-USDC', true, true],
    ['BTC-USDC', false, true],
  ])
})

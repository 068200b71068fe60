import { expect, test } from 'vitest'
import { decidedBy, insteadOf, insteadsFor, pairsOf, plainRule, ruleIn } from './replay'

const strategy = (decider: object, model: string | null) =>
  ({
    schema: 'strategy/1',
    nodes: [decider, { kind: 'trading_clone', id: 'clone', model }],
    edges: [],
  }) as unknown as Parameters<typeof decidedBy>[0]

test('a prompt may be replaced by a model, by words or by a rule, a rule only by a rule', () => {
  const asked = decidedBy(strategy({ kind: 'trading_prompt', id: 'p', text: 'Be calm.' }, 'openai:x'))
  expect(asked).toEqual({ model: 'openai:x', prompt: 'Be calm.' })
  expect(insteadsFor(asked)).toEqual(['model', 'prompt', 'rule'])
  expect(insteadsFor(decidedBy(strategy({ kind: 'rule', id: 'r', clauses: [] }, null)))).toEqual(['rule'])
})

test('nothing is sent while it would say nothing', () => {
  const typed = { kind: 'model', model: 'gpt', prompt: ' ', rule: undefined } as const
  expect(insteadOf(typed)).toBeUndefined()
  expect(insteadOf({ ...typed, model: ' openai:gpt-5 ' })).toEqual({ model: 'openai:gpt-5' })
  expect(insteadOf({ ...typed, kind: 'prompt' })).toBeUndefined()
  expect(insteadOf({ ...typed, kind: 'rule' })).toBeUndefined()
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

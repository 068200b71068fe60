import { expect, test } from 'vitest'
import type { RuleSet } from '@/api/types'
import { choicesOf, ticketRules, waitingText, wayTitle } from './ruleSets'

const pricing = { market: 'SOL-PERP', latency_ms: 1_500, max_wait_ms: 6_000 }
const rules = (name: string, change: Partial<RuleSet> = {}) =>
  ({
    name,
    kind: 'practice',
    fill_mode: 'latest',
    price_mode: 'oracle',
    default: false,
    contest_eligible: false,
    markets: [],
    perps: [{ pricing, tiers: [{ lower: '0', max_leverage: 20 }] }],
    risk: null,
    ...change,
  }) as unknown as RuleSet
const next = rules('practice-next-v1', { fill_mode: 'next_tick', contest_eligible: true })
const perp = { market: 'SOL-PERP' }

test('one choice for each way to fill, the default first and old versions left out', () => {
  const sets = [
    rules('practice-v1'),
    next,
    rules('practice-book-v1', { fill_mode: 'next_tick', price_mode: 'book' }),
    rules('practice-v2', { default: true }),
    rules('contest-v1', { kind: 'contest' }),
  ]
  expect(choicesOf(sets).map((one) => one.name)).toEqual([
    'practice-v2',
    'practice-next-v1',
    'practice-book-v1',
  ])
  expect(choicesOf([rules('practice-v1'), rules('practice-v3'), rules('practice-v2')])[0]?.name).toBe(
    'practice-v3',
  )
})

test('the highest leverage is the market’s or the account’s, whichever is lower', () => {
  expect(ticketRules(next, perp)).toEqual({ nextTick: true, maxLeverage: 20 })
  const limited = rules('x', { risk: { max_leverage: 5 } as RuleSet['risk'] })
  expect(ticketRules(limited, perp).maxLeverage).toBe(5)
  expect(ticketRules(rules('x', { perps: [] }), perp).maxLeverage).toBeUndefined()
  expect(ticketRules(undefined, perp)).toEqual({ nextTick: false, maxLeverage: undefined })
})

test('who waits for a price is told how long; who fills at once is told nothing', () => {
  expect(waitingText(next, perp)).toMatch(/more than 1\.5 s after .* within 6 s/)
  expect(waitingText(rules('practice-v2'), perp)).toBeUndefined()
  expect(wayTitle(next)).toBe('Next price')
})

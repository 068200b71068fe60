import { expect, test } from 'vitest'
import { ageAt, freshnessAt, haltText, type Tick } from './freshness'

const tick: Tick = {
  market: 'SOL-USDC',
  price: '150',
  state: 'open',
  haltReason: null,
  ageMs: 400,
  heardMs: 10_000,
  pausedMs: 0,
  chartMs: 0,
  source: 'binance',
  feed: 'tape',
}

test('a price ages on this page after the server said how old it was', () => {
  expect(ageAt(tick, 10_000)).toBe(400)
  expect(ageAt(tick, 11_000)).toBe(1_400)
  expect(ageAt(tick, 9_000)).toBe(400)
})

test('a price is live, then delayed, then too stale to trade on', () => {
  expect(freshnessAt(tick, 11_600).state).toBe('live')
  expect(freshnessAt(tick, 11_601).state).toBe('delayed')
  expect(freshnessAt(tick, 12_600).state).toBe('delayed')
  expect(freshnessAt(tick, 12_601)).toMatchObject({
    state: 'stale',
    reason: expect.stringContaining('3.0 s old'),
  })
})

test('the pause of a page that polls is no delay of the feed, but the age is told in full', () => {
  const polled = { ...tick, pausedMs: 2_000 }
  expect(freshnessAt(polled, 12_000)).toEqual({ state: 'live', ageMs: 2_400 })
  expect(freshnessAt(polled, 13_601)).toEqual({ state: 'delayed', ageMs: 4_001 })
  expect(freshnessAt(polled, 14_601)).toMatchObject({ state: 'stale', ageMs: 5_001 })
  expect(freshnessAt({ ...polled, ageMs: 2_001 }, 10_000).state).toBe('delayed')
  expect(freshnessAt({ ...polled, ageMs: 3_001 }, 10_000).state).toBe('stale')
})

test('a halted market is stale however young its price, and says why', () => {
  const halted = freshnessAt({ ...tick, state: 'halted', haltReason: 'SOURCES_DISAGREE' }, 10_000)
  expect(halted).toEqual({ state: 'stale', ageMs: 400, reason: 'The price sources disagree.' })
  expect(haltText('SOMETHING_NEW')).toBe('SOMETHING_NEW')
})

test('no price at all is stale', () => {
  expect(freshnessAt(undefined, 0)).toEqual({
    state: 'stale',
    ageMs: undefined,
    reason: 'No price has arrived yet.',
  })
  expect(freshnessAt({ ...tick, price: null }, 10_000).state).toBe('stale')
})

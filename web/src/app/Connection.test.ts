import { expect, test } from 'vitest'
import type { Freshness } from '@/lib/freshness'
import type { Shown } from '@/live/connection'
import { combine } from './Connection'

const LIVE: Shown = { state: 'live' }
const fresh: Freshness = { state: 'live', ageMs: 100 }
const late: Freshness = { state: 'delayed', ageMs: 2_500 }
const stale: Freshness = { state: 'stale', ageMs: 9_000, reason: 'old' }

test('a healthy socket with an old price is not live', () => {
  expect([fresh, late, stale].map((one) => combine(LIVE, one))).toEqual(['live', 'delayed', 'stale'])
})

test('a silent socket is delayed even while the price is young', () => {
  expect(combine({ state: 'delayed', silentMs: 4_000 }, fresh)).toBe('delayed')
})

test('a lost connection says so before anything about the price', () => {
  expect(combine({ state: 'offline' }, stale)).toBe('offline')
  expect(combine({ state: 'reconnecting', attempt: 2, retryInMs: 0 }, fresh)).toBe('reconnecting')
})

import { expect, test } from 'vitest'
import { barsOf, foldTick } from './candles'

const MINUTE = 60_000
const bar = { openMs: 10 * MINUTE, open: 100, high: 101, low: 99, close: 100 }

test('candles arrive newest first and leave oldest first, each once', () => {
  const wire = (open_ms: number, close: string) => ({ open_ms, open: '1', high: '2', low: '1', close })
  expect(barsOf([wire(180_000, '3'), wire(120_000, '2'), wire(120_000, '2.5'), wire(60_000, '1')])).toEqual([
    { openMs: 60_000, open: 1, high: 2, low: 1, close: 1 },
    { openMs: 120_000, open: 1, high: 2, low: 1, close: 2.5 },
    { openMs: 180_000, open: 1, high: 2, low: 1, close: 3 },
  ])
})

test('a tick inside the minute stretches the bar and moves its close', () => {
  const folded = foldTick(bar, 10 * MINUTE + 59_999, 102, MINUTE)
  expect(folded).toEqual({ kind: 'changed', bar: { ...bar, high: 102, close: 102 } })
})

test('the first tick of the next minute opens a flat bar', () => {
  const folded = foldTick(bar, 11 * MINUTE, 98, MINUTE)
  expect(folded).toEqual({
    kind: 'opened',
    bar: { openMs: 11 * MINUTE, open: 98, high: 98, low: 98, close: 98 },
  })
  expect(foldTick(undefined, 11 * MINUTE + 5, 98, MINUTE)).toEqual(folded)
})

test('a late tick is ignored; a hole or a rewound tape is fetched again', () => {
  expect(foldTick(bar, 9 * MINUTE + 1, 50, MINUTE).kind).toBe('ignored')
  expect(foldTick(bar, 12 * MINUTE, 50, MINUTE).kind).toBe('refetch')
  expect(foldTick(bar, 2 * MINUTE, 50, MINUTE).kind).toBe('refetch')
})

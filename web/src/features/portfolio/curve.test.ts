import { expect, test } from 'vitest'
import { curveOf, maxDrawdownPpm } from './curve'

const mark = (at_ms: number, equity: string, cycle = 1) => ({ at_ms, equity, cycle })

test('marks arrive newest first and are drawn oldest first, one per second, of one cycle', () => {
  const marks = [mark(3_500, '103'), mark(3_000, '102'), mark(2_000, '101'), mark(1_000, '50', 0)]
  expect(curveOf(marks, 1)).toEqual([
    { seconds: 2, value: 101 },
    { seconds: 3, value: 103 },
  ])
})

test('drawdown is measured from the highest earlier mark', () => {
  const marks = [
    mark(1, '100'),
    mark(2, '120'),
    mark(3, '90'),
    mark(4, '130'),
    mark(5, '120'),
    mark(6, '1', 2),
  ]
  expect(maxDrawdownPpm(marks, 1)).toBe(250_000)
  expect(maxDrawdownPpm([], 1)).toBe(0)
})

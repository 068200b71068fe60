import { expect, test } from 'vitest'
import { maxDrawdownPpm, withNow } from './curve'

const mark = (at_ms: number, equity: string) => ({ at_ms, equity, cycle: 1 })

test('the newest point is now, unless a mark is newer or there is no price', () => {
  const points = [{ seconds: 2, value: 101 }]
  expect(withNow(points, 5_900, 102_500_000n)).toEqual([...points, { seconds: 5, value: 102.5 }])
  expect(withNow(points, 2_999, 102_500_000n)).toEqual(points)
  expect(withNow(points, 5_900, undefined)).toEqual(points)
})

test('drawdown is measured from the highest earlier mark or the start', () => {
  const marks = [mark(1, '100'), mark(2, '120'), mark(3, '90'), mark(4, '130'), mark(5, '120')]
  expect(maxDrawdownPpm(marks, '100')).toBe(250_000)
  expect(maxDrawdownPpm(marks.slice(0, 3), '150')).toBe(400_000)
  expect(maxDrawdownPpm([], '100')).toBe(0)
})

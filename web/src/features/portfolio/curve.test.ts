import { expect, test } from 'vitest'
import { withNow } from './curve'

test('the newest point is now, unless a mark is newer or there is no price', () => {
  const points = [{ seconds: 2, value: 101 }]
  expect(withNow(points, 5_900, 102_500_000n)).toEqual([...points, { seconds: 5, value: 102.5 }])
  expect(withNow(points, 2_999, 102_500_000n)).toEqual(points)
  expect(withNow(points, 5_900, undefined)).toEqual(points)
})

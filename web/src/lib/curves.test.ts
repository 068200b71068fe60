import { expect, test } from 'vitest'
import { changePpm, drawdownOf, pointsOf } from './curves'

test('a curve is oldest first and keeps the later of two marks in a second', () => {
  const marks = [
    { at_ms: 2_900, equity: '103', holding: null },
    { at_ms: 1_000, equity: '100', holding: '100' },
    { at_ms: 2_100, equity: '102', holding: '101' },
  ]
  expect(pointsOf(marks, (mark) => mark.equity)).toEqual([
    { seconds: 1, value: 100 },
    { seconds: 2, value: 103 },
  ])
  expect(pointsOf(marks, (mark) => mark.holding)).toEqual([
    { seconds: 1, value: 100 },
    { seconds: 2, value: 101 },
  ])
})

test('drawdown is measured from the highest point before', () => {
  const points = [100, 120, 90, 130].map((value, seconds) => ({ seconds, value }))
  expect(drawdownOf(points).map((point) => point.value)).toEqual([0, 0, -25, 0])
})

test('the change needs a first and a last point', () => {
  expect(changePpm([])).toBeUndefined()
  expect(
    changePpm([
      { seconds: 0, value: 100 },
      { seconds: 1, value: 101.5 },
    ]),
  ).toBe(15_000)
})

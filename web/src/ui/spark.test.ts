import { expect, test } from 'vitest'
import { sparkPath } from './spark'

test('a rising curve ends at the top, over the line where it started', () => {
  const { path, baseY } = sparkPath([100, 110, 120], 100, 100, 24)
  expect(path).toBe('M0.0 22.0L50.0 12.0L100.0 2.0')
  expect(baseY).toBe(22)
})

test('a curve that stands still runs through the middle, and one value is no curve', () => {
  expect(sparkPath([5, 5], 5, 10, 24)).toEqual({ path: 'M0.0 12.0L10.0 12.0', baseY: 12 })
  expect(sparkPath([5], 5, 10, 24).path).toBe('')
})

import { expect, test } from 'vitest'
import { countdownText, nextSlotMs } from './slots'

test('the next slot is the next whole multiple of the cadence, never the present one', () => {
  expect(nextSlotMs(59_999, 60)).toBe(60_000)
  expect(nextSlotMs(60_000, 60)).toBe(120_000)
})

test('a countdown reads as a clock does', () => {
  expect([-5, 0, 41_200, 845_000, 14_350_000].map(countdownText)).toEqual([
    '0:00',
    '0:00',
    '0:42',
    '14:05',
    '3:59:10',
  ])
})

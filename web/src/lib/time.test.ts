import { expect, test } from 'vitest'
import { formatAge, formatDateTime, formatMinute } from './time'

test('an age counts up in the unit a person reads', () => {
  const readings = [-5, 0, 449, 9_999, 10_000, 59_999, 60_000, 3_599_999, 7_200_000, 200_000_000].map(
    formatAge,
  )
  expect(readings).toEqual([
    '0.0 s',
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min',
    '59 min',
    '2 h',
    '2 d',
  ])
})

test('times are shown in the chosen zone', () => {
  const noon = Date.UTC(2026, 2, 1, 12, 0, 5)
  expect(formatDateTime(noon, 'UTC')).toBe('2026-03-01 12:00:05')
  expect(formatMinute(noon, 'Asia/Tokyo')).toBe('21:00')
})

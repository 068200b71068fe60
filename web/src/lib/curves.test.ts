import { expect, test } from 'vitest'
import { changePpm, curveOf, heldCurve, intervalFor, underwater } from './curves'

const mark = (at_ms: number, equity: string) => ({ at_ms, equity })

test('marks arrive newest first and are drawn oldest first, one per second', () => {
  const marks = [mark(3_500, '103'), mark(3_000, '102'), mark(2_000, '101')]
  expect(curveOf(marks)).toEqual([
    { seconds: 2, value: 101 },
    { seconds: 3, value: 103 },
  ])
})

test('drawdown is measured from the start capital or an earlier peak', () => {
  const points = [90, 120, 60, 130].map((value, seconds) => ({ seconds, value }))
  expect(underwater(points, '100').map((one) => Math.round(one.value))).toEqual([-10, 0, -50, 0])
})

test('holding is drawn to end where the server says it ended, after its costs', () => {
  const candle = (open_ms: number, open: string, close: string) => ({ open_ms, open, close })
  const candles = [candle(180_000, '120', '90'), candle(120_000, '100', '120'), candle(0, '1', '1')]
  const span = { fromMs: 150_000, toMs: 200_000, intervalMs: 60_000 }
  const held = { start: '10000', returnPpm: -109_000 }
  const drawn = heldCurve(candles, held, span).map(({ seconds, value }) => [seconds, Math.round(value)])
  expect(drawn).toEqual([
    [150, 9_900],
    [180, 11_880],
    [200, 8_910],
  ])
  expect(heldCurve([], held, span)).toEqual([])
})

test('candles are as fine as one page of them allows', () => {
  const hour = 3_600_000
  expect([1, 20, 100, 2_000].map((hours) => intervalFor(hours * hour))).toEqual(['1m', '5m', '1h', '1d'])
})

test('a change needs a first point above nothing', () => {
  const points = [100, 300, 101.5].map((value, seconds) => ({ seconds, value }))
  expect(changePpm(points)).toBe(15_000)
  expect(changePpm([])).toBeNull()
  expect(changePpm([{ seconds: 0, value: 0 }])).toBeNull()
})

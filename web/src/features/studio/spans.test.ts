import { expect, test } from 'vitest'
import { DAY_MS } from '@/lib/time'
import { chosenSpan, commonSpan, dateText, missingOn, newest, nextName, readDate, tapeFor } from './spans'

const tape = {
  markets: [
    { market: 'SOL-USDC', from_ms: 0, to_ms: 40 * DAY_MS },
    { market: 'BTC-USDC', from_ms: 2 * DAY_MS, to_ms: 50 * DAY_MS },
  ],
}

test('a strategy is played where all of its markets were recorded', () => {
  const both = ['SOL-USDC', 'BTC-USDC']
  expect(commonSpan(tape, both)).toEqual({ from_ms: 2 * DAY_MS, to_ms: 40 * DAY_MS })
  expect(commonSpan(tape, ['ETH-USDC'])).toBeUndefined()
  expect(commonSpan(tape, [])).toBeUndefined()
  expect(missingOn(tape, ['SOL-USDC', 'ETH-USDC'])).toEqual(['ETH-USDC'])
})

test('the newest days are never more than there are', () => {
  const span = { from_ms: 0, to_ms: 3 * DAY_MS }
  expect(newest(span, '1')).toEqual({ from_ms: 2 * DAY_MS, to_ms: 3 * DAY_MS })
  expect(newest(span, '30')).toEqual(span)
  expect(newest(span, 'all')).toEqual(span)
})

test('chosen days are whole and within the recording', () => {
  const span = { from_ms: DAY_MS / 2, to_ms: 10 * DAY_MS }
  expect(chosenSpan(span, '1970-01-01', '1970-01-01')).toEqual({ from_ms: DAY_MS / 2, to_ms: DAY_MS })
  expect(chosenSpan(span, '1970-02-01', '1970-02-02')).toBeUndefined()
  expect(chosenSpan(span, '', '1970-01-02')).toBeUndefined()
  expect(readDate(dateText(5 * DAY_MS))).toBe(5 * DAY_MS)
})

test('backtests of one clone are told apart by a number', () => {
  expect(nextName('Moon', [])).toBe('Moon #1')
  expect(nextName('Moon', ['Moon #1', 'Sun #2'])).toBe('Moon #2')
})

test('a tape of minutes does not stand before one of days', () => {
  const of = (name: string, to_ms: number) => ({ name, markets: [{ market: 'SOL-USDC', from_ms: 0, to_ms }] })
  const [minutes, hours, days] = [of('minutes', 60_000), of('hours', DAY_MS / 2), of('days', 9 * DAY_MS)]
  expect(tapeFor([minutes, hours, days], ['SOL-USDC'])).toBe(days)
  expect(tapeFor([minutes, hours], ['SOL-USDC'])).toBe(hours)
  expect(tapeFor([minutes], ['ETH-USDC'])).toBe(minutes)
  expect(tapeFor([], ['SOL-USDC'])).toBeUndefined()
})

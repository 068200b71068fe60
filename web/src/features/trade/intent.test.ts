import { expect, test } from 'vitest'
import { intentFor } from './intent'

let made = 0
const newKey = () => `key-${++made}`
const body = { market: 'SOL-USDC', side: 'buy', quote_amount: '100' } as const

test('a retry of the same order keeps its key, whatever the order of its fields', () => {
  const first = intentFor(undefined, 'a', body, newKey)
  expect(intentFor(first, 'a', { quote_amount: '100', side: 'buy', market: 'SOL-USDC' }, newKey)).toBe(first)
})

test('any change makes a new intent, and so does a resolved one', () => {
  const first = intentFor(undefined, 'a', body, newKey)
  const keys = [
    intentFor(first, 'a', { ...body, quote_amount: '101' }, newKey),
    intentFor(first, 'a', { ...body, side: 'sell' }, newKey),
    intentFor(first, 'a', { ...body, max_slippage_bps: 10 }, newKey),
    intentFor(first, 'a', { ...body, stop_price: '140' }, newKey),
    intentFor(first, 'b', body, newKey),
    intentFor(undefined, 'a', body, newKey),
  ].map((intent) => intent.key)
  expect(new Set([first.key, ...keys]).size).toBe(7)
})

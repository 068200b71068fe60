import { expect, test } from 'vitest'
import type { Account, Market } from '@/api/types'
import { shareOf } from './shares'

const spot = { market: 'SOL-USDC', kind: 'spot', lot: '0.0001' } as Market
const perp = { market: 'SOL-PERP', kind: 'perp', lot: '0.01' } as Market
const account = {
  cash: '10000.123457',
  positions: [{ market: 'SOL-USDC', quantity: '1.8333', held: '0.5' }],
  perps: [{ market: 'SOL-PERP', quantity: '3.33' }],
} as Account
const bought = { side: 'buy', reduceOnly: false, limit: '', leverage: '1', inQuote: true } as const
const inBase = { ...bought, inQuote: false }

test('of the cash are exact: cents, and everything for Max', () => {
  expect(shareOf(25, bought, account, spot, '150')).toEqual({ unit: 'quote', amount: '2500.03' })
  expect(shareOf(100, bought, account, spot, '150')).toEqual({ unit: 'quote', amount: '10000.123457' })
})

test('of the position are whole lots of what no other order has set aside', () => {
  const sold = { ...inBase, side: 'sell' } as const
  expect(shareOf(50, sold, account, spot, null)).toEqual({ unit: 'base', amount: '0.6666' })
  expect(shareOf(100, sold, account, spot, null)).toEqual({ unit: 'base', amount: '1.3333' })
  expect(shareOf(100, sold, { ...account, positions: [] }, spot, null)).toEqual({ unit: 'base', amount: '0' })
  const reduced = { ...inBase, reduceOnly: true }
  expect(shareOf(50, reduced, account, perp, null)).toEqual({ unit: 'base', amount: '1.66' })
})

test('of what the cash can carry leave room for the fee and the price, more with more leverage', () => {
  const rich = { ...account, cash: '10000' }
  expect(shareOf(100, { ...inBase, limit: '100' }, rich, spot, '150')).toEqual({
    unit: 'base',
    amount: '99.92',
  })
  const ten = shareOf(100, { ...inBase, leverage: '10' }, rich, perp, '100')
  // Margin and fee of 3 % more than the price: what is held for an order that waits.
  const needed = Number(ten?.amount) * 103 * (1 / 10 + 0.00045)
  expect(needed).toBeLessThan(10_000)
  expect(needed).toBeGreaterThan(9_900)
})

test('cannot be sized in coins without a price', () => {
  expect(shareOf(50, inBase, account, perp, null)).toBeUndefined()
})

import { expect, test } from 'vitest'
import type { Account } from '@/api/types'
import { linesOf } from './chartLines'

test('the chart of a market has lines for what is held there and what waits there, and for nothing else', () => {
  const account = {
    positions: [{ market: 'SOL-USDC', cost: '300', quantity: '2' }],
    perps: [{ market: 'SOL-PERP', entry_price: '151', liquidation_price: '130.5' }],
  } as Account
  const order = { side: 'sell', limit_price: null, trigger_price: null } as const
  const orders = [
    { ...order, market: 'SOL-PERP', type: 'stop', trigger_price: '140' },
    { ...order, market: 'SOL-PERP', type: 'market' },
    { ...order, market: 'SOL-USDC', type: 'limit', limit_price: '160' },
  ] as const
  expect(linesOf(account, orders, 'SOL-PERP')).toEqual([
    { price: 151, title: 'entry', look: 'entry' },
    { price: 130.5, title: 'liquidation', look: 'liquidation' },
    { price: 140, title: 'sell stop', look: 'order' },
  ])
  expect(linesOf(account, orders, 'SOL-USDC').map((one) => [one.title, one.price])).toEqual([
    ['average', 150],
    ['sell limit', 160],
  ])
  expect(linesOf(account, orders, 'BTC-PERP')).toEqual([])
  expect(linesOf(null, [], 'SOL-USDC')).toEqual([])
})

import { describe, expect, test } from 'vitest'
import type { Account, Market } from '@/api/types'
import { costsOf, estimateOf, readTicket, rejectionText, shareOf, type Typed } from './ticket'

const market = { market: 'SOL-USDC', base: 'SOL', quantity_decimals: 4 } as Market
const typed: Typed = { side: 'buy', unit: 'quote', amount: '', slippageBps: null }
const account = {
  cash: '10000.123457',
  positions: [{ market: 'SOL-USDC', quantity: '1.3333', cost: '200' }],
} as Account

describe('typed text', () => {
  test('becomes the plain decimal string the server expects', () => {
    const readings = [
      ['250', '250'],
      [' 250.50 ', '250.5'],
      ['0,5', '0.5'],
      ['.5', '0.5'],
      ['5.', '5'],
      ['007', '7'],
      ['0.000001', '0.000001'],
    ]
    for (const [amount = '', quote_amount] of readings) {
      expect(readTicket({ ...typed, amount }, market).body, amount).toEqual({
        market: 'SOL-USDC',
        side: 'buy',
        quote_amount,
      })
    }
  })

  test('with a comma that may group thousands is refused: 1,500 must not become one and a half', () => {
    for (const amount of ['1,500', '10,000', '1,000,000', '10,000.00']) {
      expect(readTicket({ ...typed, amount }, market).reason, amount).toBe(
        'Write the amount without a comma between thousands.',
      )
    }
    for (const amount of ['0,500', '1,50', '1,5000', '1500,5'])
      expect(readTicket({ ...typed, amount }, market).body, amount).toBeDefined()
  })

  test('is refused with a reason a person can act on', () => {
    const reasons = ['', '0', '0.0', 'abc', '1e3', '-1', '.', '1.1.1', '0.0000001', '9'.repeat(16)].map(
      (amount) => readTicket({ ...typed, amount }, market).reason,
    )
    expect(reasons).toEqual([
      'Enter an amount.',
      'Enter an amount above zero.',
      'Enter an amount above zero.',
      'Enter a number, such as 250 or 0.5.',
      'Enter a number, such as 250 or 0.5.',
      'Enter a number, such as 250 or 0.5.',
      'Enter a number, such as 250 or 0.5.',
      'Enter a number, such as 250 or 0.5.',
      'USD has at most 6 decimals.',
      'That is more than exists.',
    ])
  })

  test('in base units keeps to the lot and carries the slippage limit', () => {
    const base: Typed = { side: 'sell', unit: 'base', amount: '1.2345', slippageBps: 25 }
    expect(readTicket(base, market).body).toEqual({
      market: 'SOL-USDC',
      side: 'sell',
      quantity: '1.2345',
      max_slippage_bps: 25,
    })
    expect(readTicket({ ...base, amount: '1.23456' }, market).reason).toBe('SOL has at most 4 decimals.')
  })
})

describe('shares', () => {
  test('of the cash are exact: cents, and everything for Max', () => {
    expect(shareOf(25, 'buy', account, market)).toEqual({ unit: 'quote', amount: '2500.03' })
    expect(shareOf(100, 'buy', account, market)).toEqual({ unit: 'quote', amount: '10000.123457' })
  })

  test('of the position are whole lots, and everything for Max', () => {
    expect(shareOf(50, 'sell', account, market)).toEqual({ unit: 'base', amount: '0.6666' })
    expect(shareOf(100, 'sell', account, market)).toEqual({ unit: 'base', amount: '1.3333' })
    expect(shareOf(100, 'sell', { ...account, positions: [] }, market)).toEqual({ unit: 'base', amount: '0' })
  })
})

describe('costs', () => {
  const priced = { mid: '150', gross: '1500', fee: '1.05', half_spread: '0.015', impact: '0.0075' }

  test('a buyer pays the fee on top and a seller out of the proceeds', () => {
    expect(costsOf({ ...priced, side: 'buy' })).toEqual({
      totalMicros: 1_501_050_000n,
      feeMicros: 1_050_000n,
      halfSpreadPpm: 100,
      impactPpm: 50,
    })
    expect(costsOf({ ...priced, side: 'sell' })?.totalMicros).toBe(1_498_950_000n)
  })

  test('are unknown while any part is', () => {
    expect(costsOf({ ...priced, side: 'buy', fee: null })).toBeUndefined()
    expect(estimateOf(undefined)).toBeUndefined()
  })
})

test('every rejection has words, and an unknown one shows its code', () => {
  expect(rejectionText('PRICE_STALE')).toBe('The price was too old to fill on.')
  expect(rejectionText('NEW_CODE')).toBe('NEW_CODE')
})

import { describe, expect, test } from 'vitest'
import { readTicket, type TicketMarket, type Typed, typedFor, UNTYPED } from './ticket'

const market: TicketMarket = {
  market: 'SOL-USDC',
  kind: 'spot',
  base: 'SOL',
  quantity_decimals: 4,
  tick: '0.0001',
}
const perp: TicketMarket = { ...market, market: 'SOL-PERP', kind: 'perp', quantity_decimals: 2 }
const rules = { nextTick: false, maxLeverage: 20 }
const typed = UNTYPED
const base: Typed = { ...UNTYPED, unit: 'base', amount: '1.5' }

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
      expect(readTicket({ ...typed, amount }, market, rules).body, amount).toEqual({
        market: 'SOL-USDC',
        side: 'buy',
        quote_amount,
      })
    }
  })

  test('with a comma that may group thousands is refused: 1,500 must not become one and a half', () => {
    for (const amount of ['1,500', '10,000', '1,000,000', '10,000.00']) {
      expect(readTicket({ ...typed, amount }, market, rules).reason, amount).toBe(
        'Write the amount without a comma between thousands.',
      )
    }
    for (const amount of ['0,500', '1,50', '1,5000', '1500,5'])
      expect(readTicket({ ...typed, amount }, market, rules).body, amount).toBeDefined()
  })

  test('is refused with a reason a person can act on', () => {
    const reasons = ['', '0', '0.0', 'abc', '1e3', '-1', '.', '1.1.1', '0.0000001', '9'.repeat(16)].map(
      (amount) => readTicket({ ...typed, amount }, market, rules).reason,
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
    const sale: Typed = { ...base, side: 'sell', amount: '1.2345', slippageBps: 25 }
    expect(readTicket(sale, market, rules).body).toEqual({
      market: 'SOL-USDC',
      side: 'sell',
      quantity: '1.2345',
      max_slippage_bps: 25,
    })
    expect(readTicket({ ...sale, amount: '1.23456' }, market, rules).reason).toBe(
      'SOL has at most 4 decimals.',
    )
  })
})

describe('order types', () => {
  test('a limit names its price, and how long it stays only where that is not the default', () => {
    const limit: Typed = { ...base, kind: 'limit', limit: '148,5', slippageBps: 25 }
    const body = { market: 'SOL-USDC', side: 'buy', type: 'limit', quantity: '1.5', limit_price: '148.5' }
    expect(readTicket(limit, market, rules).body).toEqual(body)
    expect(readTicket({ ...limit, timeInForce: 'ioc' }, market, rules).body).toEqual({
      ...body,
      time_in_force: 'ioc',
    })
    expect(readTicket({ ...limit, limit: '' }, market, rules).reason).toBe('Enter a limit price.')
    expect(readTicket({ ...limit, limit: '148.00005' }, market, rules).reason).toBe(
      'Prices of this market are multiples of 0.0001.',
    )
  })

  test('a stop names its trigger and no limit that was typed before', () => {
    const stop: Typed = { ...base, side: 'sell', kind: 'stop', trigger: '140', limit: '1', reduceOnly: true }
    expect(readTicket(stop, market, rules).body).toEqual({
      market: 'SOL-USDC',
      side: 'sell',
      type: 'stop',
      quantity: '1.5',
      trigger_price: '140',
      reduce_only: true,
    })
  })

  test('exits go with what opens a position, stop and target on their sides', () => {
    const bought: Typed = { ...base, stop: '140', target: '160' }
    expect(readTicket(bought, market, rules).body).toMatchObject({ stop_price: '140', target_price: '160' })
    expect(readTicket({ ...bought, stop: '170' }, market, rules).reason).toBe(
      'The stop must be below the target.',
    )
    const sold = readTicket({ ...bought, side: 'sell' }, market, rules).body
    expect(sold).toEqual({ market: 'SOL-USDC', side: 'sell', quantity: '1.5' })
    const short = readTicket({ ...bought, side: 'sell', stop: '160', target: '140' }, perp, rules).body
    expect(short).toMatchObject({ stop_price: '160', target_price: '140', leverage: 1 })
  })
})

describe('perpetuals', () => {
  test('carry a leverage from 1 to the highest, and none where they only reduce', () => {
    expect(readTicket({ ...base, leverage: '20' }, perp, rules).body).toMatchObject({ leverage: 20 })
    for (const leverage of ['', '0', '21', '2.5', 'x'])
      expect(readTicket({ ...base, leverage }, perp, rules).reason, leverage).toBe(
        'The leverage is a whole number from 1 to 20.',
      )
    expect(readTicket({ ...base, leverage: '99', reduceOnly: true }, perp, rules).body).toEqual({
      market: 'SOL-PERP',
      side: 'buy',
      quantity: '1.5',
      reduce_only: true,
    })
  })

  test('are refused with the next step where the rules of the account have none', () => {
    expect(readTicket(base, perp, { ...rules, maxLeverage: undefined }).reason).toContain('newer rules')
  })
})

test('an amount in USD never becomes as many coins where it does not count', () => {
  const usd: Typed = { ...UNTYPED, amount: '250' }
  const sale: Typed = { ...usd, side: 'sell' }
  const waits = { ...rules, nextTick: true }
  expect(readTicket(usd, perp, rules).reason).toBe('Enter an amount.')
  expect(readTicket(sale, market, waits).reason).toBe('Enter an amount.')
  expect(readTicket(usd, market, waits).body).toMatchObject({ quote_amount: '250' })
  expect(readTicket(sale, market, rules).body).toMatchObject({ quote_amount: '250' })
  expect(typedFor({ ...usd, kind: 'limit' }, market, rules)).toMatchObject({ unit: 'base', amount: '' })
})

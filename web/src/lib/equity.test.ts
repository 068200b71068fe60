import { expect, test } from 'vitest'
import { identityAt, valueHolding, valuePerp } from './equity'

const books = {
  start: '10000',
  cash: '8498.95',
  realised_pnl: '0',
  fees: '1.05',
  held: '0',
  margin: '0',
  funding: '0',
  perps: [],
  positions: [{ market: 'SOL-USDC', quantity: '10', cost: '1500' }],
}

test('equity is cash plus marked positions and the identity closes to the micro', () => {
  const identity = identityAt(books, new Map([['SOL-USDC', '151.5']]))
  expect(identity.equityMicros).toBe(10_013_950_000n)
  expect(identity.unrealisedMicros).toBe(15_000_000n)
  expect(identity.residualMicros).toBe(0n)
})

test('a held market without a price leaves equity unknown instead of wrong', () => {
  const identity = identityAt(books, new Map([['BTC-USDC', '60000']]))
  expect(identity.equityMicros).toBeUndefined()
  expect(identity.unrealisedMicros).toBeUndefined()
  expect(identity.residualMicros).toBeUndefined()
  expect(identity.cashMicros).toBe(8_498_950_000n)
})

test('an account without positions needs no price', () => {
  expect(identityAt({ ...books, cash: '9998.95', positions: [] }, new Map()).equityMicros).toBe(
    9_998_950_000n,
  )
})

test('books that do not close show what is missing', () => {
  const identity = identityAt({ ...books, cash: '8498.94' }, new Map([['SOL-USDC', '151.5']]))
  expect(identity.residualMicros).toBe(-10_000n)
})

test('a holding rounds its value down and its loss further down', () => {
  const valued = valueHolding({ market: 'X', quantity: '0.000000001', cost: '0.000001' }, '99')
  expect(valued.valueMicros).toBe(0n)
  expect(valued.unrealisedMicros).toBe(-1n)
})

const short = { market: 'SOL-PERP', side: 'short', quantity: '10', cost: '1500' } as const

test('of a perpetual only the gain is part of the equity, beside held money, margin and funding', () => {
  const perpetual = { ...books, cash: '9000', held: '98.95', margin: '899.5', funding: '-0.5', positions: [] }
  const identity = identityAt({ ...perpetual, perps: [short] }, new Map([['SOL-PERP', '149']]))
  expect(identity.unrealisedMicros).toBe(10_000_000n)
  expect(identity.equityMicros).toBe(10_008_450_000n)
  expect(identity.residualMicros).toBe(
    10_008_450_000n - (10_000_000_000n + 10_000_000n - 500_000n - 1_050_000n),
  )
  expect(identityAt({ ...perpetual, perps: [short] }, new Map()).equityMicros).toBeUndefined()
})

test('a perpetual rounds its loss further down, whichever way it points', () => {
  const dust = { market: 'X', quantity: '0.000000001', cost: '0.000001' }
  expect(valuePerp({ ...dust, side: 'long' }, '99').unrealisedMicros).toBe(-1n)
  expect(valuePerp({ ...dust, side: 'short' }, '1099').unrealisedMicros).toBe(-1n)
  expect(valuePerp({ ...dust, side: 'short' }, '99').valueMicros).toBe(1n)
})

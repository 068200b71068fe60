import { expect, test } from 'vitest'
import { callsOf, isNear, leftToLose, type Perp } from './nearLiquidation'

const LONG: Perp = {
  market: 'SOL-PERP',
  side: 'long',
  leverage: 10,
  quantity: '100',
  margin: '1500',
  liquidation_price: '138',
}
const SHORT: Perp = { ...LONG, side: 'short', liquidation_price: '162' }

test('what is left to lose is the way to the liquidation price, for either side', () => {
  const left = { micros: 1_200_000_000n, ppm: 800_000, awayPpm: 80_000 }
  expect(leftToLose(LONG, '150')).toEqual(left)
  expect(leftToLose(SHORT, '150')).toEqual(left)
  expect(leftToLose(LONG, '137')?.micros).toBe(-100_000_000n)
  expect(leftToLose(LONG, undefined)).toBeUndefined()
  expect(leftToLose({ ...LONG, liquidation_price: null }, '150')).toBeUndefined()
})

test('a position is near with less than a fifth of its margin left, and until a quarter is left again', () => {
  const near = (mark: string, wasNear: boolean) => isNear(leftToLose(LONG, mark), wasNear)
  expect([near('141', false), near('140.9', false)]).toEqual([false, true])
  expect([near('141.7', true), near('141.75', true)]).toEqual([true, false])
  expect(near('137', false)).toBe(true)
})

test('the call says how far the price is, what is left, and when it is past', () => {
  const told = (mark: string) => callsOf([LONG], new Map([['SOL-PERP', mark]]), new Set())
  expect(told('150')).toEqual([])
  expect(told('140')).toEqual([
    {
      market: 'SOL-PERP',
      title: 'SOL-PERP long 10× is near its liquidation.',
      text: 'The price is 1.43% away; 200.00 USD, 13% of its margin, are left to lose. Reduce or close it to keep them.',
    },
  ])
  expect(told('137.9')[0]?.text).toContain('The price is past it')
})

import { expect, test } from 'vitest'
import { costsOf, estimateOf } from './costs'

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

test('costs are unknown while any part is', () => {
  expect(costsOf({ ...priced, side: 'buy', fee: null })).toBeUndefined()
  expect(estimateOf(undefined)).toBeUndefined()
})

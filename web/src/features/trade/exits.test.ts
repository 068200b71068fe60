import { expect, test } from 'vitest'
import type { Order } from '@/api/types'
import { closingOrder, exitSteps, exitsOf, exitsReason } from './exits'

const long = { market: 'SOL-PERP', side: 'long' } as const
const order = (change: Partial<Order>) =>
  ({
    market: 'SOL-PERP',
    side: 'sell',
    type: 'stop',
    reduce_only: true,
    trigger_price: '140',
    ...change,
  }) as Order
const stop = order({ order_id: 'stop' })
const target = order({ order_id: 'target', type: 'take_profit', trigger_price: '160' })

test('the exits of a position are the open orders that would close it', () => {
  const others = [
    order({ market: 'BTC-PERP' }),
    order({ side: 'buy' }),
    order({ reduce_only: false }),
    order({ type: 'limit' }),
  ]
  expect(exitsOf(long, [...others, target, stop])).toEqual({ stop, target })
  expect(exitsOf(long, others)).toEqual({ stop: undefined, target: undefined })
})

test('closing asks for no size: whatever is held when it fires', () => {
  expect(closingOrder(long)).toEqual({ market: 'SOL-PERP', side: 'sell', reduce_only: true })
  expect(closingOrder({ ...long, side: 'short' }, { type: 'stop', price: '160' })).toEqual({
    market: 'SOL-PERP',
    side: 'buy',
    reduce_only: true,
    type: 'stop',
    trigger_price: '160',
  })
})

test('exits on the wrong side of the price are refused before they fire at once', () => {
  expect(exitsReason('long', { stop: '140', target: '160' }, '150')).toBeUndefined()
  expect(exitsReason('long', { stop: '150' }, '150')).toContain('must be below')
  expect(exitsReason('long', { target: '149' }, '150')).toContain('must be above')
  expect(exitsReason('short', { stop: '149' }, '150')).toContain('must be above')
  expect(exitsReason('short', { target: '151' }, '150')).toContain('must be below')
  expect(exitsReason('short', { stop: '149' }, null)).toBeUndefined()
})

test('a change places what is new before it cancels what is old, and leaves alone what stays', () => {
  const steps = exitSteps(long, { stop, target }, { stop: '145', target: '160.0' })
  expect(steps).toEqual([
    { do: 'place', body: closingOrder(long, { type: 'stop', price: '145' }) },
    { do: 'cancel', order: stop },
  ])
  expect(exitSteps(long, { stop, target }, { stop: undefined, target: '160' })).toEqual([
    { do: 'cancel', order: stop },
  ])
  expect(
    exitSteps(long, { stop: undefined, target: undefined }, { stop: undefined, target: undefined }),
  ).toEqual([])
})

import { expect, test } from 'vitest'
import type { Account, Order, OrderFill, PerpPosition } from '@/api/types'
import { identityAt } from '@/lib/equity'
import type { FillFrame, PortfolioFrame } from './frames'
import { applyFrame, orderAfter, verdictOn } from './gaps'

const account: Account = {
  account_id: 'a',
  kind: 'practice',
  rule_set: 'spot-v1',
  params_sha256: '',
  contest_eligible: false,
  cycle: 1,
  opened_ms: 0,
  version: 3,
  seq: 7,
  start: '10000',
  cash: '10000',
  equity: '10000',
  realised_pnl: '0',
  unrealised_pnl: '0',
  fees: '0',
  residual: '0',
  positions: [],
  status: 'active',
  held: '0',
  margin: '0',
  funding: '0',
  open_orders: 0,
  perps: [],
  status_reason: null,
  status_detail: null,
}

const fill: OrderFill = {
  fill_id: 'f',
  price: '150.015',
  quantity: '1',
  gross: '150.015',
  fee: '0.105011',
  half_spread: '0.015',
  impact: '0',
  realised_pnl: '0',
  filled_ms: 1,
  evidence: {
    source: 'tape',
    publish_ms: 0,
    receive_ms: 0,
    age_ms: 0,
    mid: '150',
    confidence: '0',
    tick_sha256: '',
    tape_ms: null,
  },
  perp: null,
  book: null,
}

const filled: FillFrame = {
  type: 'order_fill',
  account_id: 'a',
  seq: 8,
  order_id: 'o',
  client_order_id: null,
  market: 'SOL-USDC',
  side: 'buy',
  fill,
}

const updated: PortfolioFrame = {
  type: 'portfolio_update',
  account_id: 'a',
  seq: 9,
  version: 4,
  cash: '9849.879989',
  held: '0',
  margin: '0',
  position: { market: 'SOL-USDC', quantity: '1', cost: '150.015', realised_pnl: '0', fees: '0.105011' },
  perp: null,
  reset: false,
}

test('a private frame is applied only directly after the last one', () => {
  const verdicts = [
    [7, 6],
    [7, 7],
    [7, 8],
    [7, 9],
    [0, 1],
  ].map(([last = 0, seq = 0]) => verdictOn(last, seq))
  expect(verdicts).toEqual(['duplicate', 'duplicate', 'apply', 'gap', 'apply'])
})

test('a fill and its portfolio update leave books that close', () => {
  const after = applyFrame(applyFrame(account, filled) ?? account, updated)
  expect(after).toMatchObject({ seq: 9, version: 4, cash: '9849.879989', fees: '0.105011' })
  const identity = identityAt(after ?? account, new Map([['SOL-USDC', '151']]))
  expect(identity.residualMicros).toBe(0n)
  expect(identity.equityMicros).toBe(10_000_879_989n)
})

test('a sold-out position disappears', () => {
  const held = applyFrame(account, { ...updated, seq: 8 }) ?? account
  expect(held.positions).toHaveLength(1)
  const flat = applyFrame(held, {
    ...updated,
    cash: '10000',
    position: { market: 'SOL-USDC', quantity: '0', cost: '0', realised_pnl: '-0.03', fees: '0.21' },
  })
  expect(flat?.positions).toEqual([])
})

test('what becomes of an order that waits asks for a snapshot', () => {
  const waiting = { ...account, open_orders: 1 }
  expect(applyFrame(waiting, filled)).toBeUndefined()
  expect(applyFrame(waiting, { ...updated, seq: 8 })).toBeUndefined()
  expect(applyFrame(account, { ...updated, type: 'order_update', order: {} as Order })).toBeUndefined()
})

test('a rejection only moves the sequence; a reset asks for a snapshot', () => {
  const reject = { ...filled, type: 'order_reject' as const, reject_code: 'PRICE_STALE' as const }
  expect(applyFrame(account, reject)).toEqual({ ...account, seq: 8 })
  expect(applyFrame(account, { ...updated, reset: true })).toBeUndefined()
})

const perp: PerpPosition = {
  market: 'SOL-PERP',
  side: 'short',
  quantity: '10',
  cost: '1499',
  entry_price: '149.9',
  margin: '300',
  leverage: 5,
  realised_pnl: '0',
  fees: '0.6',
  funding: '0',
  liquidation_price: '178.4',
  mark: null,
  mark_age_ms: null,
  unrealised_pnl: null,
}

test('a perpetual appears, pays funding and is gone with the frames that say so', () => {
  const opened = applyFrame(account, { ...updated, seq: 8, margin: '300', position: null, perp })
  expect(opened).toMatchObject({ positions: [], margin: '300', perps: [perp] })
  const funded = applyFrame(opened ?? account, {
    type: 'position_update',
    account_id: 'a',
    seq: 9,
    version: 5,
    change: 'funding',
    cash: '9699',
    margin: '299.98',
    funding: '-0.02',
    perp: { ...perp, margin: '299.98', funding: '-0.02' },
  })
  expect(funded).toMatchObject({ seq: 9, funding: '-0.02', perps: [{ margin: '299.98' }] })
  const closed = { ...updated, seq: 10, position: null, perp: { ...perp, side: null, quantity: '0' } }
  expect(applyFrame(funded ?? account, closed)?.perps).toEqual([])
})

test('an order that waits is followed to its end, and frames of others are not its own', () => {
  const waiting = { order_id: 'o', status: 'accepted', stage: 'waiting', held: '155', fill: null } as Order
  expect(orderAfter(waiting, filled)).toMatchObject({ status: 'filled', stage: null, held: '0', fill })
  const reject = { ...filled, type: 'order_reject' as const, reject_code: 'PRICE_TIMEOUT' as const }
  expect(orderAfter(waiting, reject)).toMatchObject({ status: 'rejected', reject_code: 'PRICE_TIMEOUT' })
  const cancelled = { ...waiting, status: 'cancelled' as const }
  const told = { ...updated, type: 'order_update' as const, order: cancelled }
  expect(orderAfter(waiting, told)).toBe(cancelled)
  expect(orderAfter({ ...waiting, order_id: 'another' }, filled)).toBeUndefined()
  expect(orderAfter(waiting, updated)).toBeUndefined()
})

test('a frozen account is frozen at once, orders or not', () => {
  const told = {
    type: 'account_status',
    account_id: 'a',
    seq: 8,
    version: 4,
    status: 'frozen',
    reason: 'daily_loss',
  } as const
  expect(applyFrame({ ...account, open_orders: 2 }, told)).toMatchObject({
    seq: 8,
    status: 'frozen',
    status_reason: null,
    open_orders: 2,
  })
})

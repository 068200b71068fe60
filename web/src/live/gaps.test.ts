import { expect, test } from 'vitest'
import type { Account, Order, OrderFill } from '@/api/types'
import { identityAt } from '@/lib/equity'
import type { FillFrame, PortfolioFrame } from './frames'
import { applyFrame, verdictOn } from './gaps'

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
  const reject = { ...filled, type: 'order_reject' as const, reject_code: 'PRICE_STALE' }
  expect(applyFrame(account, reject)).toEqual({ ...account, seq: 8 })
  expect(applyFrame(account, { ...updated, reset: true })).toBeUndefined()
})

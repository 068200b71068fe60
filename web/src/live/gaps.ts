/** Private frames in sequence: what to do with one, and what it does to the account. Pure. */
import type { Account, Order, PerpPosition, Position } from '@/api/types'
import { heldOnly } from '@/lib/equity'
import { MICROS_DECIMALS, parseMicros, toWire } from '@/lib/money'
import type { PrivateFrame } from './frames'

export type Verdict = 'apply' | 'duplicate' | 'gap'

/** Frames of an account are numbered without holes: the next number is applied, a hole means refetch. */
export function verdictOn(lastSeq: number, frameSeq: number): Verdict {
  if (frameSeq <= lastSeq) return 'duplicate'
  return frameSeq === lastSeq + 1 ? 'apply' : 'gap'
}

/**
 * The account after a frame that follows it directly. A reset, and whatever becomes of an order that waits, changes
 * more than the frame says: undefined.
 */
export function applyFrame(account: Account, frame: PrivateFrame): Account | undefined {
  const mayEndOrders = frame.type !== 'position_update' && frame.type !== 'account_status'
  if (account.open_orders > 0 && mayEndOrders) return undefined
  switch (frame.type) {
    case 'account_status':
      // Why is not in the frame: whoever applies it asks.
      return {
        ...account,
        seq: frame.seq,
        version: frame.version,
        status: frame.status,
        status_reason: null,
        status_detail: null,
      }
    case 'position_update':
      return {
        ...account,
        seq: frame.seq,
        version: frame.version,
        cash: frame.cash,
        margin: frame.margin,
        funding: frame.funding,
        perps: replacePerp(account.perps, frame.perp),
      }
    case 'order_update':
      return undefined
    case 'order_reject':
      return { ...account, seq: frame.seq }
    case 'order_fill':
      return {
        ...account,
        seq: frame.seq,
        realised_pnl: add(account.realised_pnl, frame.fill.realised_pnl),
        fees: add(account.fees, frame.fill.fee),
      }
    case 'portfolio_update':
      if (frame.reset) return undefined
      return {
        ...account,
        seq: frame.seq,
        version: frame.version,
        cash: frame.cash,
        held: frame.held,
        margin: frame.margin,
        positions: frame.position ? replacePosition(account.positions, frame.position) : account.positions,
        perps: frame.perp ? replacePerp(account.perps, frame.perp) : account.perps,
      }
  }
}

/** Which order a frame is about. */
export function orderIdOf(frame: PrivateFrame): string | undefined {
  if (frame.type === 'order_update') return frame.order.order_id
  return 'order_id' in frame ? frame.order_id : undefined
}

/** The order after a frame about it; undefined when the frame is about something else. */
export function orderAfter(order: Order, frame: PrivateFrame): Order | undefined {
  switch (frame.type) {
    case 'order_fill':
      // A market order through zero has two fills: the first ends it for whoever waits for it.
      return frame.order_id === order.order_id
        ? { ...order, status: 'filled', stage: null, fill: frame.fill, held: '0', held_asset: null }
        : undefined
    case 'order_reject':
      return frame.order_id === order.order_id
        ? {
            ...order,
            status: 'rejected',
            stage: null,
            reject_code: frame.reject_code,
            held: '0',
            held_asset: null,
          }
        : undefined
    case 'order_update':
      return frame.order.order_id === order.order_id ? frame.order : undefined
    default:
      return undefined
  }
}

function replacePerp(perps: PerpPosition[], told: PerpPosition): PerpPosition[] {
  const others = perps.filter((one) => one.market !== told.market)
  return (told.side === null ? others : [...others, told]).sort((a, b) => a.market.localeCompare(b.market))
}

function add(left: string, right: string): string {
  return toWire(parseMicros(left) + parseMicros(right), MICROS_DECIMALS)
}

function replacePosition(
  positions: Position[],
  told: { market: string; quantity: string; cost: string; realised_pnl: string; fees: string },
): Position[] {
  const others = positions.filter((one) => one.market !== told.market)
  const derived = { average_price: null, mark: null, mark_age_ms: null, value: null, unrealised_pnl: null }
  return heldOnly([...others, { ...told, ...derived, held: '0' }]).sort((a, b) =>
    a.market.localeCompare(b.market),
  )
}

/** Private frames in sequence: what to do with one, and what it does to the account. Pure. */
import type { Account, Position } from '@/api/types'
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
  if (account.open_orders > 0) return undefined
  switch (frame.type) {
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
      }
  }
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

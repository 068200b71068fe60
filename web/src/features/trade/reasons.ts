/** Stable codes of the server in words, each with the next step. Pure; an unknown code is shown as it came. */
import type { Account, AccountStatus, Order } from '@/api/types'

const REJECTIONS: Record<string, string> = {
  BAD_REQUEST:
    'The order is not complete, or its parts contradict each other. Check its prices and its type.',
  LOT_SIZE: 'The quantity is not a whole number of lots.',
  MIN_NOTIONAL: 'The order is too small: at least 1 USD.',
  MAX_NOTIONAL:
    'The order is too large: at most 1,000,000 USD, and with your open orders no more than your account may hold.',
  INSUFFICIENT_FUNDS: 'Not enough cash for this order and its fee.',
  INSUFFICIENT_POSITION: 'You hold less than this, or your open orders have it set aside.',
  MAX_LEVERAGE: 'The leverage is too high for a position of this size. Lower it, or trade less.',
  PRICE_STALE: 'The price was too old to fill on.',
  PRICE_UNCERTAIN: 'The price source was too unsure of its price.',
  PRICE_TIMEOUT: 'No new price came in time. What was held is free again; send the order again.',
  PRICE_DIVERGENCE: 'The order book is more than 1% away from the oracle. Wait until they agree.',
  INSUFFICIENT_DEPTH: 'The order book is too thin for this size. Trade less, or use a limit.',
  SLIPPAGE_LIMIT: 'The fill would be further from the mid than your limit.',
  MARKET_HALTED: 'The market is halted.',
  ACCOUNT_FROZEN: 'The account takes no orders now. Its status is shown above.',
  CONTEST_CLOSED: 'The contest is over for this account.',
  RATE_LIMITED: 'Too many orders are open, or came at once. Cancel some, or wait a moment.',
  IDEMPOTENCY_MISMATCH: 'This key was used for another order before.',
  DUPLICATE_IN_FLIGHT: 'An order with the same name is still open.',
}

/** A rejection in words. */
export function rejectionText(code: string | null): string {
  return code === null ? 'The order was rejected.' : (REJECTIONS[code] ?? code)
}

const CANCELS: Record<string, string> = {
  CANCELLED_BY_USER: 'Cancelled by you.',
  CANCELLED_IOC: 'Cancelled: the price was not within the limit at once.',
  CANCELLED_OTHER_FILLED: 'Cancelled: the other exit was filled.',
  CANCELLED_POSITION_CLOSED: 'Cancelled: the position was closed.',
  CANCELLED_ACCOUNT_CLOSED: 'Cancelled: the account was closed or reset.',
}

/** Why an accepted order ended without a fill. */
export function cancelText(reason: string | null): string {
  return reason === null ? 'Cancelled.' : (CANCELS[reason] ?? reason)
}

const STAGES: Record<string, string> = {
  waiting: 'Waits for the next price',
  resting: 'Rests at its limit',
  armed: 'Armed at its trigger',
  cancelling: 'Being cancelled; a price from before can still fill it',
}

/** What an accepted order waits for. */
export function stageText(order: Pick<Order, 'stage'>): string {
  return order.stage === null ? 'Accepted' : (STAGES[order.stage] ?? order.stage)
}

const TYPES: Record<string, string> = {
  market: 'Market',
  limit: 'Limit',
  stop: 'Stop',
  take_profit: 'Take profit',
}

/** "Stop, reduce only", "Limit, IOC". */
export function typeText(order: Pick<Order, 'type' | 'reduce_only' | 'time_in_force'>): string {
  const kind = order.type ?? 'market'
  const words = [TYPES[kind] ?? kind]
  if (order.reduce_only) words.push('reduce only')
  if (order.time_in_force === 'ioc') words.push('IOC')
  return words.join(', ')
}

export interface StatusWords {
  title: string
  text: string
}

const STATUSES: Record<Exclude<AccountStatus, 'active'>, StatusWords> = {
  paused: {
    title: 'Account paused.',
    text: 'It takes no new orders until it is resumed. Open orders still fill, stops and targets too; positions stay.',
  },
  locked: {
    title: 'Account locked.',
    text: 'It takes no orders until it is unlocked, and open ones were cancelled. Positions stay.',
  },
  frozen: {
    title: 'Account frozen.',
    text: 'It lost more than its rules allow. Open orders were cancelled and every position is closed at the next price. This is final; its history stays.',
  },
  completed: {
    title: 'Account completed.',
    text: 'It is finished and takes no more orders. Its history stays.',
  },
}

const BY_WHOM: Record<string, string> = {
  BY_OWNER: 'You did this',
  BY_SYSTEM: 'A contest or an operator did this',
}

/** What made the account inactive: the figures of its loss, or who did it and why; empty while that is not loaded. */
export function reasonText(account: Pick<Account, 'status_reason' | 'status_detail'>): string {
  const { status_reason: reason, status_detail: detail } = account
  const whom = reason === null ? undefined : BY_WHOM[reason]
  if (whom === undefined) return detail ?? ''
  return detail ? `${whom}: ${detail}` : `${whom}.`
}

/** Why the account takes no orders, and what follows; undefined while it does. */
export function statusWords(status: AccountStatus): StatusWords | undefined {
  return status === 'active' ? undefined : STATUSES[status]
}

/** Frames of the gateway that the page understands. Anything else is ignored. */
import type { Backtest } from '@/api/backtests'
import type { CloneFill, PublicDeployment, Run } from '@/api/clones'
import type { AccountStatus, FeedKind, Order, OrderFill, PerpPosition, Side } from '@/api/types'

export interface PriceUpdate {
  type: 'price_update'
  market: string
  price: string | null
  confidence: string | null
  state: 'open' | 'halted'
  halt_reason: string | null
  publish_ms: number
  chart_ms: number
  age_ms: number
  source: string
  feed: FeedKind
  tape_ms: number | null
}

export interface FillFrame {
  type: 'order_fill'
  account_id: string
  seq: number
  order_id: string
  client_order_id: string | null
  market: string
  side: Side
  fill: OrderFill
}

export interface RejectFrame {
  type: 'order_reject'
  account_id: string
  seq: number
  order_id: string
  market: string
  side: Side
  reject_code: NonNullable<Order['reject_code']>
}

/** An order was accepted, rests, was triggered or was cancelled. */
export interface OrderFrame {
  type: 'order_update'
  account_id: string
  seq: number
  version: number
  cash: string
  held: string
  order: Order
}

export interface PortfolioFrame {
  type: 'portfolio_update'
  account_id: string
  seq: number
  version: number
  cash: string
  held: string
  margin: string
  position: { market: string; quantity: string; cost: string; realised_pnl: string; fees: string } | null
  /** Instead of `position` when the fill was of a perpetual; without a side once it is closed. */
  perp: PerpPosition | null
  cycle?: number
  reset: boolean
}

/** A perpetual position paid or received funding, or its margin became too small, enough again or uncertain. */
export interface PositionFrame {
  type: 'position_update'
  account_id: string
  seq: number
  version: number
  change: string
  cash: string
  margin: string
  funding: string
  perp: PerpPosition
}

/** The account was paused, resumed, locked, frozen or completed; `reason` is the limit a frozen one broke. */
export interface StatusFrame {
  type: 'account_status'
  account_id: string
  seq: number
  version: number
  status: AccountStatus
  reason: string
}

export type PrivateFrame = FillFrame | RejectFrame | OrderFrame | PortfolioFrame | PositionFrame | StatusFrame

/** A clone has decided, in the form that this person may see. */
export interface DecisionFrame {
  type: 'clone_decision'
  clone_id: string
  seq: number
  decision: Run
}

export interface CloneFillFrame extends CloneFill {
  type: 'clone_fill'
  clone_id: string
  /** Told to its owner alone. */
  order_id?: string
}

/** What the account of a clone is worth; `drawdown` is the fraction it is below its peak. */
export interface CloneEquityFrame {
  type: 'clone_equity'
  clone_id: string
  equity: string
  drawdown: string
  at_ms: number
}

/** A clone has a new version, or another name or bio: fetch it. */
export interface CloneChangedFrame {
  type: 'clone_published' | 'clone_profile'
  clone_id: string
  seq: number
}

/** A clone was deployed, paused, resumed or stopped. */
export interface CloneDeploymentFrame {
  type: 'clone_deployment'
  clone_id: string
  seq: number
  state: PublicDeployment['state']
  /** Told to its owner alone. */
  account_id?: string
}

/** The account that a clone trades was paused, resumed, locked, frozen or completed. */
export interface CloneAccountFrame {
  type: 'clone_account'
  clone_id: string
  status: AccountStatus
  /** Told to its owner alone. */
  reason?: string
}

export interface BacktestFrame {
  type: 'backtest_progress'
  backtest_id: string
  backtest: Backtest
}

export type SubjectFrame =
  | DecisionFrame
  | CloneFillFrame
  | CloneEquityFrame
  | CloneChangedFrame
  | CloneDeploymentFrame
  | CloneAccountFrame
  | BacktestFrame

export interface SubscribedFrame {
  type: 'subscribed'
  channel: string
  id?: string
  /** What a backtest is at this moment. */
  backtest?: Backtest
}

export type Frame =
  | PriceUpdate
  | PrivateFrame
  | SubjectFrame
  | SubscribedFrame
  | { type: 'authenticated'; user_id: string }
  | { type: 'unsubscribed'; channel: string }
  | { type: 'pong' }
  | { type: 'error'; code: string; detail: string }

/** Read one text frame; undefined for what is not a JSON object with a type. */
export function parseFrame(text: unknown): Frame | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const frame: unknown = JSON.parse(text)
    return typeof frame === 'object' && frame !== null && 'type' in frame ? (frame as Frame) : undefined
  } catch {
    return undefined
  }
}

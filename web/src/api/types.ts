/** The wire shapes the page reads. Amounts are decimal strings, times integer milliseconds. */

export type Side = 'buy' | 'sell'
export type FeedKind = 'live' | 'tape' | 'synthetic'

export interface Config {
  ws_url: string
  feed: { kind: FeedKind; label: string; speed: string }
  price_fan_out_hz: number
  chains: string[]
  version: string
  start_balance: string
}

export interface Market {
  market: string
  base: string
  quote: string
  state: 'open' | 'halted'
  halt_reason?: string | null
  price: string | null
  confidence: string | null
  age_ms: number | null
  publish_ms: number | null
  chart_ms: number | null
  source: string | null
  feed: string | null
  tape_ms?: number | null
  tick: string
  lot: string
  price_decimals: number
  quantity_decimals: number
  change_24h_ppm: number | null
}

export interface Candle {
  open_ms: number
  open: string
  high: string
  low: string
  close: string
  ticks: number
  complete: boolean
}

export interface Position {
  market: string
  quantity: string
  cost: string
  average_price: string | null
  realised_pnl: string
  fees: string
  mark: string | null
  mark_age_ms: number | null
  value: string | null
  unrealised_pnl: string | null
}

export interface Account {
  account_id: string
  kind: string
  rule_set: string
  params_sha256: string
  contest_eligible: boolean
  cycle: number
  opened_ms: number
  version: number
  seq: number
  start: string
  cash: string
  equity: string | null
  realised_pnl: string
  unrealised_pnl: string | null
  fees: string
  residual: string | null
  positions: Position[]
}

export interface Evidence {
  source: string
  publish_ms: number
  receive_ms: number
  age_ms: number
  mid: string
  confidence: string
  tick_sha256: string
  tape_ms: number | null
}

export interface OrderFill {
  fill_id: string
  price: string
  quantity: string
  gross: string
  fee: string
  half_spread: string
  impact: string
  realised_pnl: string
  filled_ms: number
  evidence: Evidence
}

export interface Fill extends OrderFill {
  order_id: string
  market: string
  side: Side
  version: number
}

export interface Order {
  order_id: string
  account_id: string
  client_order_id: string | null
  market: string
  side: Side
  quantity: string | null
  quote_amount: string | null
  max_slippage_bps: number | null
  status: 'filled' | 'rejected'
  reject_code: string | null
  created_ms: number
  fill: OrderFill | null
}

export interface OrderBody {
  market: string
  side: Side
  quantity?: string
  quote_amount?: string
  max_slippage_bps?: number
}

export interface Preview {
  market: string
  side: Side
  reject_code: string | null
  mid: string | null
  age_ms: number | null
  price: string | null
  quantity: string | null
  gross: string | null
  fee: string | null
  half_spread: string | null
  impact: string | null
  cash_after: string | null
  position_after: string | null
}

export interface LedgerEntry {
  version: number
  leg: number
  kind: string
  ledger_account: string
  asset: string
  amount: string
  balance_after: string
  order_id: string | null
  at_ms: number
  record_sha256: string
}

export interface EquityMark {
  at_ms: number
  cycle: number
  equity: string
}

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface LeaderboardRow {
  rank: number
  account_id: string
  display_name: string
  equity: string
  return_ppm: number
  max_drawdown_ppm: number
  fills: number
  marks: number
  as_of_ms: number
  mine: boolean
}

export interface Leaderboard {
  items: LeaderboardRow[]
  as_of_ms: number
}

export interface Wallet {
  wallet_id: string
  chain: string
  address: string
  linked_at_ms: number
}

export interface Me {
  user_id: string
  display_name: string
  created_at_ms: number
  wallets: Wallet[]
  csrf_token?: string | null
}

export interface Challenge {
  challenge_id: string
  message: string
  expires_at_ms: number
}

export interface SignedIn {
  csrf_token: string
  session_id: string
  user_id: string
  expires_at_ms: number
}

export interface Session {
  session_id: string
  wallet_address: string
  created_at_ms: number
  last_seen_ms: number
  expires_at_ms: number
  user_agent: string
  current: boolean
}

export interface ApiKey {
  api_key_id: string
  name: string
  scopes: string[]
  prefix: string
  created_at_ms: number
  last_used_ms?: number | null
}

export interface ApiKeyCreated extends ApiKey {
  key: string
}

export interface StreamTicket {
  ticket: string
  expires_at_ms: number
}

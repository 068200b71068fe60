/** What a history shows and exports: one list of columns per kind. */
import type { HistoryItem, HistoryKind } from '@/api/queries'

type Cell = string | number | null

export interface Column<T> {
  name: string
  /** The exact value, as exported. */
  value: (item: T) => Cell
  figure?: boolean
  time?: boolean
  /** Exported only: too long for a table. */
  exportOnly?: boolean
}

export const COLUMNS: { [K in HistoryKind]: Column<HistoryItem[K]>[] } = {
  fills: [
    { name: 'time', value: (one) => one.filled_ms, time: true },
    { name: 'market', value: (one) => one.market },
    { name: 'side', value: (one) => one.side },
    { name: 'position', value: (one) => one.perp?.event ?? 'spot' },
    { name: 'quantity', value: (one) => one.quantity, figure: true },
    { name: 'price', value: (one) => one.price, figure: true },
    { name: 'gross', value: (one) => one.gross, figure: true },
    { name: 'fee', value: (one) => one.fee, figure: true },
    { name: 'realised', value: (one) => one.realised_pnl, figure: true },
    { name: 'margin change', value: (one) => one.perp?.margin_change ?? null, exportOnly: true },
    { name: 'liquidation fee', value: (one) => one.perp?.liquidation_fee ?? null, exportOnly: true },
    { name: 'shortfall', value: (one) => one.perp?.shortfall ?? null, exportOnly: true },
    { name: 'source', value: (one) => one.evidence.source },
    { name: 'price age ms', value: (one) => one.evidence.age_ms, figure: true },
    { name: 'mid', value: (one) => one.evidence.mid, exportOnly: true },
    { name: 'half spread', value: (one) => one.half_spread, exportOnly: true },
    { name: 'impact', value: (one) => one.impact, exportOnly: true },
    { name: 'tick sha256', value: (one) => one.evidence.tick_sha256, exportOnly: true },
    { name: 'fill id', value: (one) => one.fill_id, exportOnly: true },
    { name: 'order id', value: (one) => one.order_id, exportOnly: true },
  ],
  orders: [
    { name: 'time', value: (one) => one.created_ms, time: true },
    { name: 'market', value: (one) => one.market },
    { name: 'type', value: (one) => one.type ?? 'market' },
    { name: 'side', value: (one) => one.side },
    { name: 'quantity', value: (one) => one.quantity, figure: true },
    { name: 'quote amount', value: (one) => one.quote_amount, figure: true },
    { name: 'waits for', value: (one) => one.limit_price ?? one.trigger_price ?? null, figure: true },
    { name: 'status', value: (one) => one.status },
    { name: 'reason', value: (one) => one.reject_code ?? one.cancel_reason },
    { name: 'fill price', value: (one) => one.fill?.price ?? null, figure: true },
    { name: 'reduce only', value: (one) => (one.reduce_only ? 'yes' : 'no'), exportOnly: true },
    { name: 'leverage', value: (one) => one.leverage ?? null, exportOnly: true },
    { name: 'order id', value: (one) => one.order_id, exportOnly: true },
    { name: 'client order id', value: (one) => one.client_order_id, exportOnly: true },
  ],
  ledger: [
    { name: 'time', value: (one) => one.at_ms, time: true },
    { name: 'version', value: (one) => one.version, figure: true },
    { name: 'leg', value: (one) => one.leg, figure: true },
    { name: 'kind', value: (one) => one.kind },
    { name: 'account', value: (one) => one.ledger_account },
    { name: 'asset', value: (one) => one.asset },
    { name: 'amount', value: (one) => one.amount, figure: true },
    { name: 'balance after', value: (one) => one.balance_after, figure: true },
    { name: 'order id', value: (one) => one.order_id, exportOnly: true },
    { name: 'record sha256', value: (one) => one.record_sha256, exportOnly: true },
  ],
  equity: [
    { name: 'time', value: (one) => one.at_ms, time: true },
    { name: 'cycle', value: (one) => one.cycle, figure: true },
    { name: 'equity', value: (one) => one.equity, figure: true },
  ],
}

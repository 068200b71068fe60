/** The prices of the chart that matter to the account: entries, liquidations, and what waits at a price. Pure. */
import type { Account, Order } from '@/api/types'

export interface ChartLine {
  price: number
  title: string
  look: 'entry' | 'liquidation' | 'order'
}

type Held = Pick<Account, 'positions' | 'perps'>
type Waiting = Pick<Order, 'market' | 'side' | 'type' | 'limit_price' | 'trigger_price'>

const SHORT_TYPES: Record<string, string> = { limit: 'limit', stop: 'stop', take_profit: 'target' }

export function linesOf(account: Held | null, orders: readonly Waiting[], market: string): ChartLine[] {
  const lines: ChartLine[] = []
  const draw = (price: string | null | undefined, title: string, look: ChartLine['look']) => {
    if (price) lines.push({ price: Number(price), title, look })
  }
  for (const { market: held, cost, quantity } of account?.positions ?? []) {
    if (held === market)
      lines.push({ price: Number(cost) / Number(quantity), title: 'average', look: 'entry' })
  }
  for (const perp of account?.perps ?? []) {
    if (perp.market !== market) continue
    draw(perp.entry_price, 'entry', 'entry')
    draw(perp.liquidation_price, 'liquidation', 'liquidation')
  }
  for (const order of orders) {
    if (order.market !== market) continue
    const name = SHORT_TYPES[order.type ?? ''] ?? 'order'
    draw(order.limit_price ?? order.trigger_price, `${order.side} ${name}`, 'order')
  }
  return lines
}

import { useQuery } from '@tanstack/react-query'
import { Tabs } from 'radix-ui'
import { recentQuery } from '@/api/queries'
import type { Account, Fill, Market, Order } from '@/api/types'
import { formatUsd, formatWire } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { formatTime } from '@/lib/time'
import { Pnl } from '@/ui/Figure'
import { TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { amountText, OpenOrders } from './OpenOrders'
import { Positions } from './Positions'
import { cancelText, rejectionText, typeText } from './reasons'

const TAB =
  'h-9 border-b-2 border-transparent px-1 font-medium text-muted hover:text-text data-[state=active]:border-accent data-[state=active]:text-text'

/** Positions with their fills, orders that wait and orders that have ended. */
export function Activity({ account, markets }: { account: Account; markets: readonly Market[] }) {
  return (
    <Tabs.Root defaultValue="positions">
      <Tabs.List
        aria-label="Activity"
        className="flex gap-4 overflow-x-auto border-b border-line whitespace-nowrap"
      >
        <Tabs.Trigger value="positions" className={TAB}>
          Positions
        </Tabs.Trigger>
        <Tabs.Trigger value="open" className={TAB} data-testid="open-orders-tab">
          Open orders{account.open_orders > 0 && ` (${account.open_orders})`}
        </Tabs.Trigger>
        <Tabs.Trigger value="orders" className={TAB} data-testid="orders-tab">
          Ended orders
        </Tabs.Trigger>
      </Tabs.List>
      <Tabs.Content value="positions" className="space-y-4 pt-2">
        <Positions account={account} markets={markets} />
        <h2 className="text-sm font-semibold tracking-wide text-muted">Fills</h2>
        <Fills account={account} />
      </Tabs.Content>
      <Tabs.Content value="open" className="pt-2">
        <OpenOrders account={account} />
      </Tabs.Content>
      <Tabs.Content value="orders" className="pt-2">
        <Orders account={account} />
      </Tabs.Content>
    </Tabs.Root>
  )
}

function Fills({ account }: { account: Account }) {
  const fills = useQuery(recentQuery('fills', account.account_id))
  if (fills.isPending) return <Loading label="Loading fills" />
  if (fills.error && !fills.data)
    return <Failure what="fills" error={fills.error} onRetry={() => void fills.refetch()} />
  const items = fills.data?.items ?? []
  return (
    <TableScroll label="Fills">
      <table className="ruled" data-testid="fills-table">
        <thead>
          <tr>
            {['Time', 'Market', 'Side'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {['Quantity', 'Price', 'Gross', 'Fee', 'Realised', 'Price age'].map((name) => (
              <th key={name} scope="col" data-figure>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((fill) => (
            <FillRow key={fill.fill_id} fill={fill} />
          ))}
          {items.length === 0 && (
            <tr>
              <td colSpan={9} className="text-muted">
                No fills yet.
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </TableScroll>
  )
}

function FillRow({ fill }: { fill: Fill }) {
  const zone = useZone()
  const { evidence } = fill
  const proof = `source ${evidence.source}, mid ${evidence.mid}, confidence ${evidence.confidence}, tick ${evidence.tick_sha256}`
  return (
    <tr data-testid="fill-row" data-fill={fill.fill_id}>
      <td className="figure text-sm text-muted">{formatTime(fill.filled_ms, zone)}</td>
      <td>{fill.market}</td>
      <td>{sideText(fill)}</td>
      <td data-figure>{formatWire(fill.quantity, 0)}</td>
      <td data-figure>{formatWire(fill.price, 2)}</td>
      <td data-figure>{formatUsd(parseMicros(fill.gross))}</td>
      <td data-figure>{formatUsd(parseMicros(fill.fee), 4)}</td>
      <td data-figure>
        <Pnl micros={parseMicros(fill.realised_pnl)} />
      </td>
      <td data-figure title={proof}>
        {evidence.age_ms} ms
      </td>
    </tr>
  )
}

/** "Buy", or what a fill did to a perpetual: "Open long", "Liquidated short". */
function sideText({ side, perp }: Fill): string {
  if (!perp) return side === 'buy' ? 'Buy' : 'Sell'
  if (perp.event === 'open') return side === 'buy' ? 'Open long' : 'Open short'
  const closed = side === 'buy' ? 'short' : 'long'
  return perp.event === 'liquidation' ? `Liquidated ${closed}` : `Close ${closed}`
}

function Orders({ account }: { account: Account }) {
  const zone = useZone()
  const orders = useQuery(recentQuery('orders', account.account_id))
  if (orders.isPending) return <Loading label="Loading orders" />
  if (orders.error && !orders.data) {
    return <Failure what="orders" error={orders.error} onRetry={() => void orders.refetch()} />
  }
  const items = orders.data?.items ?? []
  if (items.length === 0) return <Empty title="No orders yet." />
  return (
    <TableScroll label="Ended orders">
      <table className="ruled" data-testid="orders-table">
        <thead>
          <tr>
            {['Time', 'Market', 'Type', 'Side', 'Amount', 'Outcome'].map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((order) => (
            <tr key={order.order_id} data-testid="order-row" data-status={order.status}>
              <td className="figure text-sm text-muted">{formatTime(order.created_ms, zone)}</td>
              <td>{order.market}</td>
              <td>{typeText(order)}</td>
              <td>{order.side === 'buy' ? 'Buy' : 'Sell'}</td>
              <td className="figure text-sm">{amountText(order)}</td>
              <td>
                <Ending order={order} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

function Ending({ order }: { order: Order }) {
  if (order.status === 'filled') return `Filled at ${formatWire(order.fill?.price, 2)}`
  if (order.status === 'cancelled') return cancelText(order.cancel_reason)
  return (
    <span className="text-warn" title={order.reject_code ?? ''}>
      {rejectionText(order.reject_code)}
    </span>
  )
}

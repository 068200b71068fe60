import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { openOrdersQuery } from '@/api/queries'
import type { Account, Order } from '@/api/types'
import { formatWire } from '@/lib/format'
import { formatTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { stageText, typeText } from './reasons'
import { cancelOrders } from './store'
import { heldText } from './TicketRows'

/** The open orders of an account; not asked for while it has none. */
export function useOpenOrders(account: Account) {
  const query = useQuery({ ...openOrdersQuery(account.account_id), enabled: account.open_orders > 0 })
  return { ...query, orders: account.open_orders > 0 ? (query.data ?? []) : [] }
}

/** Orders that wait, each with what is held for it and a way to cancel it, but for those that cannot be called back. */
export function OpenOrders({ account }: { account: Account }) {
  const { orders, isLoading, error, data, refetch } = useOpenOrders(account)
  const [failure, setFailure] = useState<string>()
  const [cancelling, setCancelling] = useState<ReadonlySet<string>>(new Set())

  const cancel = async (orderId?: string) => {
    const named = orderId ?? 'all'
    setFailure(undefined)
    setCancelling((before) => new Set([...before, named]))
    try {
      await cancelOrders(account.account_id, orderId)
    } catch (caught) {
      setFailure(caught instanceof Error ? caught.message : 'No answer came.')
    } finally {
      setCancelling((before) => new Set([...before].filter((one) => one !== named)))
    }
  }

  if (isLoading) return <Loading label="Loading open orders" />
  if (error && !data) return <Failure what="open orders" error={error} onRetry={() => void refetch()} />
  if (orders.length === 0) {
    return (
      <Empty title="No open orders.">
        <p>A limit rests here until its price comes, a stop or target until it is triggered.</p>
      </Empty>
    )
  }
  return (
    <>
      <div className="mb-2 flex items-center justify-between gap-3">
        <p className="text-sm text-warn" role="alert">
          {failure && `Not cancelled: ${failure} Trying again is safe.`}
        </p>
        <Button
          size="small"
          data-testid="cancel-all"
          disabled={cancelling.has('all')}
          onClick={() => void cancel()}
        >
          {cancelling.has('all') ? 'Cancelling…' : `Cancel all ${orders.length}`}
        </Button>
      </div>
      <TableScroll label="Open orders">
        <table className="ruled" data-testid="open-orders-table">
          <thead>
            <tr>
              {['Time', 'Market', 'Type', 'Side'].map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              {['Amount', 'Price', 'Held'].map((name) => (
                <th key={name} scope="col" data-figure>
                  {name}
                </th>
              ))}
              <th scope="col">State</th>
              <th scope="col">
                <span className="sr-only">Cancel</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {orders.map((order) => (
              <OpenOrderRow
                key={order.order_id}
                order={order}
                busy={cancelling.has(order.order_id) || cancelling.has('all')}
                onCancel={() => void cancel(order.order_id)}
              />
            ))}
          </tbody>
        </table>
      </TableScroll>
    </>
  )
}

interface RowProps {
  order: Order
  busy: boolean
  onCancel: () => void
}

function OpenOrderRow({ order, busy, onCancel }: RowProps) {
  const zone = useZone()
  const price = order.limit_price ?? order.trigger_price
  return (
    <tr data-testid="open-order-row" data-order={order.order_id} data-stage={order.stage}>
      <td className="figure text-sm text-muted">{formatTime(order.created_ms, zone)}</td>
      <td>{order.market}</td>
      <td>{typeText(order)}</td>
      <td>{order.side === 'buy' ? 'Buy' : 'Sell'}</td>
      <td data-figure>{amountText(order)}</td>
      <td data-figure>{formatWire(price, 2)}</td>
      <td data-figure>{order.held === '0' ? '–' : heldText(order.held, order.held_asset)}</td>
      <td className="text-sm">{stageText(order)}</td>
      <td data-figure>
        {order.stage === 'waiting' || order.stage === 'cancelling' ? (
          <span className="text-sm text-muted" title="It ends within seconds.">
            {order.stage === 'waiting' ? 'In flight' : 'Cancelling…'}
          </span>
        ) : (
          <Button
            size="small"
            data-testid="cancel-order"
            disabled={busy}
            onClick={onCancel}
            aria-label={`Cancel ${typeText(order)} ${order.side} ${order.market}`}
          >
            {busy ? 'Cancelling…' : 'Cancel'}
          </Button>
        )}
      </td>
    </tr>
  )
}

/** "1.5 SOL", "250.00 USD", or all of the position for an order without a size. */
export function amountText(order: Pick<Order, 'quantity' | 'quote_amount' | 'market'>): string {
  if (order.quantity !== null) return `${formatWire(order.quantity, 0)} ${order.market.split('-')[0]}`
  return order.quote_amount === null ? 'all of it' : `${formatWire(order.quote_amount, 2)} USD`
}

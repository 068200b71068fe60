import { useQuery } from '@tanstack/react-query'
import { orderQuery } from '@/api/queries'
import { formatPrice, formatWire } from '@/lib/format'

interface Props {
  accountId: string
  orderId: string
}

/** What became of an order of a decision: its fill, or how it stands. */
export function OrderOutcome({ accountId, orderId }: Props) {
  const order = useQuery(orderQuery(accountId, orderId))
  const fill = order.data?.fill
  const verb = order.data?.side === 'sell' ? 'Sold' : 'Bought'
  return (
    <span className="block" data-testid="own-fill" title={`order ${orderId}`}>
      {fill
        ? `${verb} ${formatWire(fill.quantity, 0)} at ${formatPrice(fill.price, 4)}, fee ${formatPrice(fill.fee, 4)}`
        : (order.data?.reject_code ?? order.data?.status ?? '…')}
    </span>
  )
}

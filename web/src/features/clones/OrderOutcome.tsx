import { useQuery } from '@tanstack/react-query'
import { orderQuery } from '@/api/queries'
import { formatPrice, formatWire } from '@/lib/format'

const WAITING_POLL_MS = 1_000

interface Props {
  accountId: string
  orderId: string
}

/** What became of an order of a decision: its fill, or how it stands. */
export function OrderOutcome({ accountId, orderId }: Props) {
  const order = useQuery({
    ...orderQuery(accountId, orderId),
    // An order waits for the next tick, which comes at once or never.
    refetchInterval: ({ state: { data } }) => (data?.status === 'accepted' ? WAITING_POLL_MS : false),
  })
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

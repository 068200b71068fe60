import { useQuery } from '@tanstack/react-query'
import { orderQuery } from '@/api/queries'
import { formatPrice, formatWire } from '@/lib/format'
import { deploymentQuery } from './api'

interface Props {
  cloneId: string
  orderId: string
}

/** What became of an order of a decision: its fill, or how it stands. */
export function OrderOutcome({ cloneId, orderId }: Props) {
  const deployment = useQuery(deploymentQuery(cloneId)).data
  const accountId = deployment?.form === 'owner' ? deployment.account_id : undefined
  const order = useQuery({
    ...orderQuery(accountId ?? '', orderId),
    enabled: accountId !== undefined,
  })
  const fill = order.data?.fill
  const verb = order.data?.side === 'sell' ? 'Sold' : 'Bought'
  return (
    <span className="block" data-testid="own-fill">
      {fill
        ? `${verb} ${formatWire(fill.quantity, 0)} at ${formatPrice(fill.price, 4)}, fee ${formatPrice(fill.fee, 4)}`
        : (order.data?.reject_code ?? order.data?.status ?? '…')}
      <span className="figure block text-xs break-all text-muted">{orderId}</span>
    </span>
  )
}

import { useState } from 'react'
import type { Account, Market, Order } from '@/api/types'
import { formatWire } from '@/lib/format'
import { Button } from '@/ui/Button'
import { ExitsDialog } from './ExitsDialog'
import { closingOrder, type Exitable, exitsOf } from './exits'
import { sendOrder, useTicket } from './store'

interface Props {
  account: Account
  position: Exitable
  quantity: string
  market: Market
  orders: readonly Order[]
}

/** The exits of a position, a way to change them, and one click that closes it. */
export function PositionActions({ account, position, quantity, market, orders }: Props) {
  const sending = useTicket((one) => one.sending)
  const [editing, setEditing] = useState(false)
  const exits = exitsOf(position, orders)
  const price = (order: Order) => formatWire(order.trigger_price, 2)
  const words = [
    exits.stop && `stop ${price(exits.stop)}`,
    exits.target && `target ${price(exits.target)}`,
  ].filter(Boolean)
  const inactive = account.status !== 'active'
  return (
    <span className="inline-flex items-center gap-2">
      <Button
        size="small"
        data-testid="edit-exits"
        disabled={inactive}
        onClick={() => setEditing(true)}
        aria-label={`Stop and target of ${market.market}`}
      >
        {words.length > 0 ? <span className="figure text-xs">{words.join(' · ')}</span> : 'Stop, target…'}
      </Button>
      <Button
        size="small"
        data-testid="close-position"
        disabled={sending || inactive}
        title="Closes all of it at the market, at once"
        aria-label={`Close ${market.market}`}
        onClick={() => void sendOrder(account.account_id, closingOrder(position), undefined)}
      >
        Close
      </Button>
      {editing && (
        <ExitsDialog
          account={account}
          position={position}
          quantity={quantity}
          market={market}
          exits={exits}
          onClose={() => setEditing(false)}
        />
      )}
    </span>
  )
}

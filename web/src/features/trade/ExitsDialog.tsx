import { type FormEvent, useState } from 'react'
import { newIdempotencyKey } from '@/api/client'
import type { Account, Market } from '@/api/types'
import { formatPrice } from '@/lib/format'
import { useTick } from '@/live/prices'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { type Exitable, type Exits, exitSteps, exitsReason } from './exits'
import { PriceField } from './PriceField'
import { rejectionText } from './reasons'
import { cancelOrders, placeOrder } from './store'
import { readPrice } from './ticket'

interface Props {
  account: Account
  position: Exitable
  quantity: string
  market: Market
  exits: Exits
  onClose: () => void
}

/** Attach, change or take away the stop and the target of a position. An empty field is none. */
export function ExitsDialog({ account, position, quantity, market, exits, onClose }: Props) {
  const tick = useTick(market.market)
  const [stop, setStop] = useState(exits.stop?.trigger_price ?? '')
  const [target, setTarget] = useState(exits.target?.trigger_price ?? '')
  const [state, setState] = useState<{ sending: boolean; error?: string }>({ sending: false })
  const wanted = readExits(stop, target, market)
  const reason = wanted.reason ?? exitsReason(position.side, wanted.prices ?? {}, tick?.price)
  const long = position.side === 'long'

  const save = async (event: FormEvent) => {
    event.preventDefault()
    if (reason || !wanted.prices || state.sending) return
    setState({ sending: true })
    try {
      for (const step of exitSteps(position, exits, wanted.prices)) {
        if (step.do === 'cancel') {
          await cancelOrders(account.account_id, step.order.order_id)
          continue
        }
        const order = await placeOrder(account.account_id, step.body, newIdempotencyKey())
        if (order.status === 'rejected')
          return setState({ sending: false, error: rejectionText(order.reject_code) })
      }
      onClose()
    } catch (caught) {
      setState({ sending: false, error: caught instanceof Error ? caught.message : 'No answer came.' })
    }
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={`Stop and target, ${market.market}`}
      description={`They close all of the ${position.side} of ${quantity} ${market.base} at the market once the price gets there. One cancels the other.`}
    >
      <form onSubmit={(event) => void save(event)} className="space-y-3">
        <p className="flex justify-between text-sm text-muted">
          Price now{' '}
          <span className="figure text-text">{formatPrice(tick?.price, market.price_decimals)}</span>
        </p>
        <div className="flex gap-2">
          <PriceField
            label={`Stop, ${long ? 'below' : 'above'}`}
            testId="exit-stop"
            value={stop}
            onChange={setStop}
            placeholder="none"
          />
          <PriceField
            label={`Target, ${long ? 'above' : 'below'}`}
            testId="exit-target"
            value={target}
            onChange={setTarget}
            placeholder="none"
          />
        </div>
        <p className="min-h-5 text-sm text-warn" role="alert" data-testid="exits-reason">
          {reason ?? (state.error && `Not changed: ${state.error}`)}
        </p>
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={onClose}>
            Keep as it is
          </Button>
          <Button
            type="submit"
            look="accent"
            data-testid="save-exits"
            disabled={reason !== undefined || state.sending}
          >
            {state.sending ? 'Saving…' : 'Save'}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}

type Wanted =
  | { prices: { stop: string | undefined; target: string | undefined }; reason?: undefined }
  | { prices?: undefined; reason: string }

function readExits(stop: string, target: string, market: Market): Wanted {
  const read = (text: string, what: string) =>
    text.trim() === '' ? { text: undefined, reason: undefined } : readPrice(text, market, what)
  const one = read(stop, 'a stop price')
  const other = read(target, 'a target price')
  const reason = one.reason ?? other.reason
  return reason === undefined ? { prices: { stop: one.text, target: other.text } } : { reason }
}

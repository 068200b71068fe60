import type { FormEvent } from 'react'
import type { Account, Market } from '@/api/types'
import type { Freshness, Tick } from '@/lib/freshness'
import { Button } from '@/ui/Button'
import { AmountField, SlippageField } from './AmountField'
import { OrderResult } from './OrderResult'
import { chooseSide, sendOrder, useTicket } from './store'
import { TicketRows } from './TicketRows'
import { estimateOf, readTicket, rejectionText } from './ticket'
import { usePreview } from './usePreview'

interface Props {
  account: Account
  market: Market
  tick: Tick | undefined
  freshness: Freshness
  /** Why nothing can be sent at all, such as a lost connection. */
  blocked: string | undefined
}

/** Side, amount, what it will cost, one button. */
export function OrderTicket({ account, market, tick, freshness, blocked }: Props) {
  const { typed, sending, outcome } = useTicket()
  const reading = readTicket(typed, market)
  const { preview, current, error } = usePreview(account.account_id, reading.body)

  const stale = freshness.state === 'stale' ? freshness.reason : undefined
  const rejection = current && preview?.reject_code ? rejectionText(preview.reject_code) : undefined
  const reason = blocked ?? stale ?? reading.reason ?? rejection
  const body = reading.body

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (reason || !body || sending) return
    void sendOrder(account.account_id, body, current ? estimateOf(preview) : undefined)
  }

  return (
    <form onSubmit={submit} aria-label="Order ticket" className="space-y-3">
      <SideButtons />
      <AmountField account={account} market={market} />
      <TicketRows
        market={market}
        tick={tick}
        freshness={freshness}
        preview={preview}
        current={current}
        side={typed.side}
      />
      <SlippageField />
      <Button
        type="submit"
        size="large"
        look="accent"
        data-testid="submit-order"
        aria-describedby="submit-reason"
        disabled={reason !== undefined || sending}
        className={`w-full ${reason || sending ? '' : SIDE_FILL[typed.side]}`}
      >
        {sending ? 'Sending…' : `${typed.side === 'buy' ? 'Buy' : 'Sell'} ${market.base}`}
      </Button>
      <p id="submit-reason" data-testid="submit-reason" className="min-h-5 text-sm text-muted">
        {reason ?? (error ? `No estimate: ${error.message}` : '')}
      </p>
      {outcome && <OrderResult outcome={outcome} market={market} />}
    </form>
  )
}

const SIDE_FILL = {
  buy: 'bg-gain! border-gain! text-on-side!',
  sell: 'bg-loss! border-loss! text-on-side!',
}

function SideButtons() {
  const side = useTicket((one) => one.typed.side)
  return (
    <div role="radiogroup" aria-label="Side" className="grid grid-cols-2 border border-input">
      {(['buy', 'sell'] as const).map((one) => (
        // biome-ignore lint/a11y/useSemanticElements: two halves of one switch, drawn as buttons
        <button
          key={one}
          type="button"
          role="radio"
          aria-checked={side === one}
          aria-keyshortcuts={one === 'buy' ? 'b' : 's'}
          data-testid={`side-${one}`}
          onClick={() => chooseSide(one)}
          className={`h-9 font-semibold ${side === one ? SIDE_FILL[one] : 'text-muted hover:text-text'}`}
        >
          {one === 'buy' ? 'Buy' : 'Sell'}
        </button>
      ))}
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { ToggleGroup } from 'radix-ui'
import { type FormEvent, useEffect } from 'react'
import { ruleSetsQuery } from '@/api/queries'
import type { Account, Market, Preview, Side } from '@/api/types'
import type { Freshness, Tick } from '@/lib/freshness'
import { Button } from '@/ui/Button'
import { Failure } from '@/ui/States'
import { AmountField, SlippageField } from './AmountField'
import { estimateOf } from './costs'
import { ExitFields } from './ExitFields'
import { exitsReason } from './exits'
import { MarketKindSwitch, OrderKindFields } from './KindFields'
import { LeverageField } from './LeverageField'
import { OrderResult } from './OrderResult'
import { rejectionText, statusWords } from './reasons'
import { marketReason, ticketRules, waitingText } from './ruleSets'
import { chooseSide, enterMarket, sendOrder, useTicket } from './store'
import { TicketRows } from './TicketRows'
import { mayHaveExits, readTicket, type Typed, typedFor } from './ticket'
import { usePreview } from './usePreview'

interface Props {
  account: Account
  market: Market
  tick: Tick | undefined
  freshness: Freshness
  /** Why nothing can be sent at all, such as a lost connection. */
  blocked: string | undefined
}

/** Side, type, amount, what it will do, one button. */
export function OrderTicket({ account, market, tick, freshness, blocked }: Props) {
  const { typed: given, sending, outcome } = useTicket()
  const { data: ruleSets, error: rulesError, refetch: askRules } = useQuery(ruleSetsQuery)
  const ruleSet = ruleSets?.find((one) => one.name === account.rule_set)
  const rules = ticketRules(ruleSet, market)
  const typed = typedFor(given, market, rules)
  const reading = readTicket(given, market, rules)
  const { preview, current, error } = usePreview(account.account_id, reading.body)
  useEffect(() => enterMarket(market.market), [market.market])

  const { body } = reading
  const reason =
    blocked ??
    statusWords(account.status)?.title ??
    (freshness.state === 'stale' ? freshness.reason : undefined) ??
    (ruleSets === undefined ? rulesReason(rulesError) : undefined) ??
    marketReason(ruleSet, market) ??
    reading.reason ??
    (body &&
      exitsReason(typed.side === 'buy' ? 'long' : 'short', exitsIn(body), body.limit_price ?? tick?.price)) ??
    (current && preview?.reject_code ? rejectionText(preview.reject_code) : undefined)

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (reason || !body || sending) return
    void sendOrder(
      account.account_id,
      body,
      current && fillsAtOnce(preview) ? estimateOf(preview) : undefined,
    )
  }
  const waiting = typed.kind === 'market' || typed.kind === 'limit' ? waitingText(ruleSet, market) : undefined

  return (
    <form onSubmit={submit} aria-label="Order ticket" className="space-y-3">
      <MarketKindSwitch market={market} />
      <SideButtons market={market} />
      <OrderKindFields typed={typed} market={market} />
      <AmountField account={account} market={market} rules={rules} price={tick?.price} />
      {market.kind === 'perp' && !typed.reduceOnly && rules.maxLeverage !== undefined && (
        <LeverageField max={rules.maxLeverage} />
      )}
      {mayHaveExits(typed, market) && <ExitFields typed={typed} />}
      <TicketRows
        market={market}
        tick={tick}
        freshness={freshness}
        preview={preview}
        current={current}
        side={typed.side}
      />
      {typed.kind !== 'limit' && <SlippageField />}
      {waiting && (
        <p className="text-sm text-muted" data-testid="waits">
          {waiting}
        </p>
      )}
      <Button
        type="submit"
        size="large"
        look="accent"
        data-testid="submit-order"
        aria-describedby="submit-reason"
        disabled={reason !== undefined || sending}
        className={`w-full ${reason || sending ? '' : SIDE_FILL[typed.side]}`}
      >
        {sending ? 'Sending…' : submitText(typed, market)}
      </Button>
      <p id="submit-reason" data-testid="submit-reason" className="min-h-5 text-sm text-muted">
        {reason ?? (error ? `No estimate: ${error.message}` : '')}
      </p>
      {rulesError && !ruleSets && (
        <Failure what="the rules of your account" error={rulesError} onRetry={() => void askRules()} />
      )}
      {outcome && <OrderResult outcome={outcome} />}
    </form>
  )
}

const rulesReason = (error: Error | null) =>
  error ? 'No order can be sent without the rules of your account.' : 'Loading the rules of your account.'

/** An order that waits ends at a price nobody knows yet: there is nothing to compare its fill with. */
const fillsAtOnce = (preview: Preview | undefined) => preview?.status === 'filled'

const exitsIn = (body: { stop_price?: string | null; target_price?: string | null }) => ({
  stop: body.stop_price ?? undefined,
  target: body.target_price ?? undefined,
})

function submitText(typed: Typed, market: Market): string {
  if (market.kind === 'spot') return `${typed.side === 'buy' ? 'Buy' : 'Sell'} ${market.base}`
  if (typed.reduceOnly) return `${typed.side === 'buy' ? 'Buy' : 'Sell'} to reduce`
  return `${typed.side === 'buy' ? 'Long' : 'Short'} ${market.base}`
}

const SIDE_FILL = {
  buy: 'bg-gain! border-gain! text-on-side!',
  sell: 'bg-loss! border-loss! text-on-side!',
}

const SIDE_WORDS = {
  spot: { buy: 'Buy', sell: 'Sell' },
  perp: { buy: 'Long', sell: 'Short' },
}

function SideButtons({ market }: { market: Market }) {
  const side = useTicket((one) => one.typed.side)
  return (
    <ToggleGroup.Root
      type="single"
      aria-label="Side"
      value={side}
      onValueChange={(next) => next && chooseSide(next as Side)}
      className="grid grid-cols-2 border border-input"
    >
      {(['buy', 'sell'] as const).map((one) => (
        <ToggleGroup.Item
          key={one}
          value={one}
          aria-keyshortcuts={one === 'buy' ? 'b' : 's'}
          data-testid={`side-${one}`}
          className={`h-9 font-semibold ${side === one ? SIDE_FILL[one] : 'text-muted hover:text-text'}`}
        >
          {SIDE_WORDS[market.kind][one]}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  )
}

import type { Account, Market } from '@/api/types'
import { formatUsd, formatWire } from '@/lib/format'
import { NANOS_DECIMALS, parseMicros, parseNanos, toWire } from '@/lib/money'
import { Segmented } from '@/ui/Segmented'
import { SHARES, shareOf } from './shares'
import { type, useTicket } from './store'
import { mayBeSizedInQuote, type TicketRules, typedFor, type Unit } from './ticket'

const AMOUNT_LENGTH_MAX = 32

interface Props {
  account: Account
  market: Market
  rules: TicketRules
  price: string | null | undefined
}

/** How much, in USD where the order can be sized so or in the asset, typed or as a share of what there is. */
export function AmountField({ account, market, rules, price }: Props) {
  const given = useTicket((one) => one.typed)
  const typed = typedFor(given, market, rules)
  const inQuote = mayBeSizedInQuote(typed, market, rules)
  const share = (percent: number) => {
    const wanted = { ...typed, limit: typed.kind === 'limit' ? typed.limit : '', inQuote }
    const amount = shareOf(percent, wanted, account, market, price)
    if (amount) type(amount)
  }
  const units = [
    { value: 'quote' as const, label: 'USD', testId: 'amount-unit-quote', className: 'h-full!' },
    { value: 'base' as const, label: market.base, testId: 'amount-unit-base', className: 'h-full!' },
  ]
  return (
    <div>
      <div className="mb-1 flex items-baseline justify-between text-sm">
        <label htmlFor="amount" className="text-muted">
          Amount
        </label>
        <span className="text-muted">
          Available <span className="figure text-text">{availableText(account, market, typed)}</span>
        </span>
      </div>
      <div className="flex h-11 border border-input has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent">
        <input
          id="amount"
          data-testid="amount-input"
          className="figure w-0 flex-1 bg-transparent px-3 text-lg outline-none placeholder:text-input"
          inputMode="decimal"
          autoComplete="off"
          placeholder="0.00"
          maxLength={AMOUNT_LENGTH_MAX}
          value={typed.amount}
          onChange={(event) => type({ unit: typed.unit, amount: event.target.value })}
        />
        <Segmented<Unit>
          label="Amount unit"
          testId="amount-unit"
          className="border-0 border-l border-l-line"
          value={typed.unit}
          onChange={(unit) => type({ unit, amount: '' })}
          options={inQuote ? units : units.slice(1)}
        />
      </div>
      <div className="mt-2 grid grid-cols-4 border border-line">
        {SHARES.map((percent) => (
          <button
            key={percent}
            type="button"
            data-testid={`share-${percent}`}
            className="figure h-7 border-l border-line text-xs text-muted first:border-l-0 hover:bg-raised hover:text-text"
            onClick={() => share(percent)}
          >
            {percent === 100 ? 'Max' : `${percent}%`}
          </button>
        ))}
      </div>
    </div>
  )
}

/** What the order can draw on: free cash, or what is held and not set aside for another order. */
function availableText(
  account: Account,
  market: Market,
  typed: { side: string; reduceOnly: boolean },
): string {
  const perp = account.perps.find((one) => one.market === market.market)
  if (market.kind === 'perp' && typed.reduceOnly)
    return `${formatWire(perp?.quantity ?? '0', 0)} ${market.base}`
  if (market.kind === 'perp' || typed.side === 'buy') return `${formatUsd(parseMicros(account.cash))} USD`
  const held = account.positions.find((one) => one.market === market.market)
  const free = parseNanos(held?.quantity ?? '0') - parseNanos(held?.held ?? '0')
  return `${formatWire(toWire(free, NANOS_DECIMALS), 0)} ${market.base}`
}

const LIMITS = [null, 5, 10, 25, 50] as const

/** An optional limit on how far from the mid a fill may be. */
export function SlippageField() {
  const slippageBps = useTicket((one) => one.typed.slippageBps)
  return (
    <label className="flex items-center justify-between gap-4 text-sm text-muted">
      Slippage limit
      <select
        data-testid="slippage"
        className="figure h-7 border border-line bg-bg px-1 text-xs text-text"
        value={slippageBps ?? ''}
        onChange={(event) => type({ slippageBps: event.target.value ? Number(event.target.value) : null })}
      >
        {LIMITS.map((bps) => (
          <option key={bps} value={bps ?? ''}>
            {bps === null ? 'default (1%)' : `${bps / 100}%`}
          </option>
        ))}
      </select>
    </label>
  )
}

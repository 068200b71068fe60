import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { marketsQuery } from '@/api/queries'
import type { Market, OrderKind, TimeInForce } from '@/api/types'
import { Segmented } from '@/ui/Segmented'
import { PriceField } from './PriceField'
import { chooseKind, type, useTicket } from './store'
import { isTriggered, mayReduceOnly, type Typed } from './ticket'

/** Between the spot market of a coin and its perpetual; where there is only one, to the first of the other kind. */
export function MarketKindSwitch({ market }: { market: Market }) {
  const markets = useQuery(marketsQuery)
  const navigate = useNavigate()
  const go = (kind: Market['kind']) => {
    const others = markets.data?.filter((one) => one.kind === kind) ?? []
    const next = others.find((one) => one.base === market.base) ?? others[0]
    if (next) void navigate({ to: '/trade', search: (before) => ({ ...before, market: next.market }) })
  }
  return (
    <Segmented<Market['kind']>
      label="Kind of market"
      testId="market-kind"
      size="small"
      value={market.kind}
      onChange={go}
      options={[
        { value: 'spot', label: 'Spot', testId: 'market-kind-spot' },
        { value: 'perp', label: 'Perpetual', testId: 'market-kind-perp' },
      ]}
    />
  )
}

const KINDS: { value: OrderKind; label: string; testId: string; keyHint?: string }[] = [
  { value: 'market', label: 'Market', testId: 'order-type-market', keyHint: 'm' },
  { value: 'limit', label: 'Limit', testId: 'order-type-limit', keyHint: 'l' },
  { value: 'stop', label: 'Stop', testId: 'order-type-stop' },
  { value: 'take_profit', label: 'Take profit', testId: 'order-type-take_profit' },
]

/** Which type of order, with the price it waits for. */
export function OrderKindFields({ typed, market }: { typed: Typed; market: Market }) {
  return (
    <>
      <Segmented<OrderKind>
        label="Order type"
        testId="order-type"
        size="small"
        value={typed.kind}
        onChange={chooseKind}
        options={KINDS}
      />
      {typed.kind === 'limit' && (
        <div className="flex items-start gap-2">
          <PriceField
            label={typed.side === 'buy' ? 'Buy at most at' : 'Sell at least at'}
            testId="limit-price"
            value={typed.limit}
            onChange={(limit) => type({ limit })}
          />
          <TimeInForceField />
        </div>
      )}
      {isTriggered(typed.kind) && (
        <PriceField
          label="Trigger price"
          testId="trigger-price"
          value={typed.trigger}
          onChange={(trigger) => type({ trigger })}
          hint={triggerHint(typed)}
        />
      )}
      {mayReduceOnly(typed, market) && <ReduceOnlyField />}
    </>
  )
}

/** When the order fires, in words. */
function triggerHint({ kind, side }: Typed): string {
  const rises = (side === 'buy') === (kind === 'stop')
  const verb = side === 'buy' ? 'Buys' : 'Sells'
  return `${verb} at the market once the price ${rises ? 'rises' : 'falls'} to it.`
}

function TimeInForceField() {
  const value = useTicket((one) => one.typed.timeInForce)
  return (
    <label className="shrink-0 text-sm text-muted">
      <span className="mb-1 block">Until</span>
      <select
        data-testid="time-in-force"
        className="h-9 border border-input bg-bg px-1 text-text"
        value={value}
        onChange={(event) => type({ timeInForce: event.target.value as TimeInForce })}
      >
        <option value="gtc">cancelled</option>
        <option value="ioc">at once or never</option>
      </select>
    </label>
  )
}

function ReduceOnlyField() {
  const checked = useTicket((one) => one.typed.reduceOnly)
  return (
    <label className="flex min-h-7 items-center gap-2 text-sm text-muted">
      <input
        type="checkbox"
        data-testid="reduce-only"
        className="size-4 accent-(--accent)"
        checked={checked}
        onChange={(event) => type({ reduceOnly: event.target.checked })}
      />
      Reduce only: never opens or turns a position
    </label>
  )
}

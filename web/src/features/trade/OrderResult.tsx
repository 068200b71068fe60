import { useQuery } from '@tanstack/react-query'
import { marketsQuery, orderQuery } from '@/api/queries'
import type { Market, Order, OrderFill } from '@/api/types'
import { formatScaled, formatSignedUsd, formatUsd, formatWire, MISSING } from '@/lib/format'
import { E8_DECIMALS, MICROS_DECIMALS, parseE8, parseMicros, roundTo, toWire } from '@/lib/money'
import { useStatus } from '@/live/status'
import { Button } from '@/ui/Button'
import { costsOf, type Estimate } from './costs'
import { cancelText, rejectionText, stageText } from './reasons'
import { dismissOutcome, type Outcome, resendOrder } from './store'
import { heldText } from './TicketRows'

const ASK_EVERY_MS = 2_000

/** An order as the newest word has it, from its answer to its end. */
function useFollowed(outcome: Outcome): Outcome {
  const answered = outcome.kind === 'done' ? outcome.order : undefined
  const streamed = useStatus((one) => one.phase.name === 'open')
  const { data } = useQuery({
    ...orderQuery(answered?.account_id ?? '', answered?.order_id ?? ''),
    enabled: answered?.status === 'accepted',
    refetchInterval: ({ state }) => (streamed || state.data?.status !== 'accepted' ? false : ASK_EVERY_MS),
  })
  if (outcome.kind !== 'done' || outcome.order.status !== 'accepted' || !data) return outcome
  return { ...outcome, order: data }
}

/** What became of the order: what it waits for, the fill beside its estimate, or why there is none. */
export function OrderResult({ outcome: answered }: { outcome: Outcome }) {
  const outcome = useFollowed(answered)
  const markets = useQuery(marketsQuery)
  const name = outcome.kind === 'done' ? outcome.order.market : undefined
  const market = markets.data?.find((one) => one.market === name)
  const state = outcome.kind === 'done' ? outcome.order.status : outcome.kind
  return (
    <section
      data-testid="order-result"
      data-status={state}
      aria-label="Last order"
      className={`border-l-2 bg-surface p-3 text-sm ${state === 'filled' ? 'border-accent' : state === 'accepted' ? 'border-input' : 'border-warn'}`}
    >
      <div className="flex items-start justify-between gap-2">
        <Headline outcome={outcome} />
        <button
          type="button"
          onClick={dismissOutcome}
          aria-label="Dismiss"
          className="-mt-1 size-7 shrink-0 text-muted hover:text-text"
        >
          ×
        </button>
      </div>
      {outcome.kind === 'done' && outcome.order.fill && market && (
        <Comparison
          order={outcome.order}
          fill={outcome.order.fill}
          estimate={outcome.estimate}
          market={market}
        />
      )}
      {outcome.kind === 'unknown' && (
        <div className="mt-2 space-y-2 text-muted">
          <p>
            The order may have arrived. Sending it again is safe: it carries the same key and fills at most
            once.
          </p>
          <Button size="small" onClick={() => void resendOrder()}>
            Send again
          </Button>
        </div>
      )}
    </section>
  )
}

function Headline({ outcome }: { outcome: Outcome }) {
  if (outcome.kind === 'refused') return <p className="font-medium">Not accepted: {outcome.reason}</p>
  if (outcome.kind === 'unknown') return <p className="font-medium">No answer. {outcome.reason}</p>
  const { order } = outcome
  if (order.status === 'accepted') return <Pending order={order} />
  if (order.status === 'cancelled') return <p className="font-medium">{cancelText(order.cancel_reason)}</p>
  if (!order.fill) {
    return (
      <p>
        <span className="font-medium">Rejected. {rejectionText(order.reject_code)}</span>
        <span className="figure ml-2 text-xs text-muted">{order.reject_code}</span>
      </p>
    )
  }
  return (
    <p className="font-medium">
      {order.side === 'buy' ? 'Bought' : 'Sold'} {formatWire(order.fill.quantity, 0)}{' '}
      {order.market.split('-')[0]}
      {order.fill.perp?.side && ` (${order.fill.perp.side} ${order.fill.perp.leverage}×)`}
    </p>
  )
}

/** The order is in and waits: for what, and what is set aside for it. */
function Pending({ order }: { order: Order }) {
  return (
    <div>
      <p className="font-medium">
        Accepted. {stageText(order)}
        {order.stage === 'waiting' && <span aria-hidden="true">…</span>}
      </p>
      <p className="text-muted">
        {order.held === '0' ? 'Nothing is held for it.' : `${heldText(order.held, order.held_asset)} held.`}{' '}
        {order.stage !== 'waiting' && 'It is among the open orders.'}
      </p>
    </div>
  )
}

interface ComparisonProps {
  order: Order
  fill: OrderFill
  estimate: Estimate | undefined
  market: Market
}

function Comparison({ order, fill, estimate, market }: ComparisonProps) {
  const actual = costsOf({ ...fill, side: order.side, mid: fill.evidence.mid })
  const places = market.price_decimals
  const priceGap = estimate && parseE8(fill.price) - parseE8(estimate.price)
  const rows = [
    {
      label: 'Price',
      actual: formatWire(fill.price, places),
      estimate: formatWire(estimate?.price, places),
      gap: priceGap === undefined ? MISSING : signedPrice(priceGap, places),
    },
    { label: 'Fee', ...compare(actual?.feeMicros, estimate?.feeMicros, 4) },
    // What moves for a perpetual is its margin: a total of price and fee would be nobody's money.
    ...(fill.perp ? [] : [{ label: 'Total', ...compare(actual?.totalMicros, estimate?.totalMicros, 2) }]),
  ]
  return (
    <>
      <table className="ruled mt-1">
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col" data-figure>
              Actual
            </th>
            <th scope="col" data-figure>
              Estimate
            </th>
            <th scope="col" data-figure>
              Gap
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.label}>
              <td className="text-muted">{row.label}</td>
              <td data-figure>{row.actual}</td>
              <td data-figure>{row.estimate}</td>
              <td data-figure>{row.gap}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="mt-2 text-xs text-muted">
        Filled on a {fill.evidence.source} price {fill.evidence.age_ms} ms old,{' '}
        <span className="figure" title={fill.evidence.tick_sha256}>
          tick {fill.evidence.tick_sha256.slice(0, 8)}
        </span>
        {fill.realised_pnl !== '0' && <>; realised {formatSignedUsd(parseMicros(fill.realised_pnl))} USD</>}
      </p>
    </>
  )
}

/** The gap is that of the two figures as shown: 1,499.99 beside 1,499.99 never has one. */
function compare(actual: bigint | undefined, estimate: bigint | undefined, places: number) {
  const shown = (micros: bigint) => roundTo(micros, MICROS_DECIMALS, places)
  const gap = actual === undefined || estimate === undefined ? undefined : shown(actual) - shown(estimate)
  return {
    actual: formatUsd(actual, places),
    estimate: formatUsd(estimate, places),
    gap: gap === undefined ? MISSING : signed(formatScaled(gap, places, places), gap),
  }
}

const signed = (text: string, value: bigint) => (value > 0n ? `+${text}` : text)

function signedPrice(gapE8: bigint, places: number): string {
  return signed(formatWire(toWire(gapE8, E8_DECIMALS), places), gapE8)
}

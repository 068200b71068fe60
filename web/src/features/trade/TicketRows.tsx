import type { ReactNode } from 'react'
import type { Market, Preview, Side } from '@/api/types'
import { formatPpm, formatPrice, formatUsd, formatWire, MISSING } from '@/lib/format'
import type { Freshness, Tick } from '@/lib/freshness'
import { parseMicros } from '@/lib/money'
import { formatAge } from '@/lib/time'
import { Figure } from '@/ui/Figure'
import { type Costs, costsOf } from './costs'

interface Props {
  market: Market
  tick: Tick | undefined
  freshness: Freshness
  preview: Preview | undefined
  /** Whether the preview answers what is typed now; an older one is dimmed. */
  current: boolean
  side: Side
}

/** From the reference price to the balance after: what the order would do, line by line. */
export function TicketRows({ market, tick, freshness, preview, current, side }: Props) {
  const costs = preview && costsOf(preview)
  const places = market.price_decimals
  const dim = preview && !current ? 'opacity-60' : ''
  const age = freshness.ageMs === undefined ? '' : formatAge(freshness.ageMs)
  return (
    <dl className="text-sm">
      <Line label="Reference price" hint={age}>
        <Figure text={formatPrice(tick?.price, places)} />
      </Line>
      <div className={dim}>
        <Line
          label="Estimated fill"
          hint={preview?.quantity ? `${formatWire(preview.quantity, 0)} ${market.base}` : ''}
        >
          {formatPrice(preview?.price, places)}
        </Line>
        <Line label="Spread" hint={costs && ppm(costs.halfSpreadPpm)}>
          {formatPrice(preview?.half_spread, places)}
        </Line>
        <Line label="Impact" hint={costs && ppm(costs.impactPpm)}>
          {formatPrice(preview?.impact, places)}
        </Line>
        <Line label="Fee">{formatUsd(costs?.feeMicros, 4)}</Line>
        {market.kind === 'spot' ? (
          <Line label={side === 'buy' ? 'Total to pay' : 'Total to receive'} strong>
            <span data-testid="preview-total">{formatUsd(costs?.totalMicros)}</span>
          </Line>
        ) : (
          <PerpLines market={market} preview={preview} costs={costs} />
        )}
        {preview?.status === 'accepted' && preview.held !== '0' && (
          <Line label="Held while it waits" strong>
            <span data-testid="preview-held">{heldText(preview.held, preview.held_asset)}</span>
          </Line>
        )}
        <Line label="Cash after">
          {preview?.cash_after ? formatUsd(parseMicros(preview.cash_after)) : MISSING}
        </Line>
        <Line label={`${market.base} after`}>{formatWire(preview?.position_after, 0)}</Line>
      </div>
    </dl>
  )
}

interface PerpLinesProps {
  market: Market
  preview: Preview | undefined
  costs: Costs | undefined
}

/** What a perpetual needs to be seen before: the margin behind the position, and where it is lost. */
function PerpLines({ market, preview, costs }: PerpLinesProps) {
  const margin = preview?.margin ? parseMicros(preview.margin) : undefined
  const worth = preview?.gross ? parseMicros(preview.gross) : undefined
  return (
    <>
      <Line label="Order value">
        <span data-testid="preview-total">{formatUsd(costs && worth)}</span>
      </Line>
      <Line label="Margin of the position" hint={preview?.leverage ? `${preview.leverage}×` : ''} strong>
        <span data-testid="preview-margin">{formatUsd(margin)}</span>
      </Line>
      <Line label="Liquidation price" strong>
        <span data-testid="preview-liquidation">{liquidationText(preview, market)}</span>
      </Line>
    </>
  )
}

function liquidationText(preview: Preview | undefined, market: Market): string {
  if (!preview?.margin) return MISSING
  if (preview.liquidation_price) return formatPrice(preview.liquidation_price, market.price_decimals)
  return preview.position_after === '0' ? MISSING : 'none'
}

/** "154.61 USD", "1.5 SOL". */
export function heldText(held: string, asset: string | null): string {
  return asset === 'USDC' || asset === null
    ? `${formatUsd(parseMicros(held))} USD`
    : `${formatWire(held, 0)} ${asset}`
}

const ppm = (value: number) => formatPpm(value, 3).replace('+', '')

interface LineProps {
  label: string
  hint?: string | undefined
  strong?: boolean
  children: ReactNode
}

function Line({ label, hint, strong, children }: LineProps) {
  return (
    <div
      className={`flex h-7 items-center justify-between gap-3 border-b border-line ${strong ? 'font-medium text-text' : ''}`}
    >
      <dt className={strong ? '' : 'text-muted'}>{label}</dt>
      <dd className="figure flex items-baseline gap-2 text-right">
        {hint && <span className="text-xs text-muted">{hint}</span>}
        {children}
      </dd>
    </div>
  )
}

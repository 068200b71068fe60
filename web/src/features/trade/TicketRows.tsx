import type { ReactNode } from 'react'
import type { Market, Preview, Side } from '@/api/types'
import { formatPpm, formatPrice, formatUsd, formatWire, MISSING } from '@/lib/format'
import type { Freshness, Tick } from '@/lib/freshness'
import { parseMicros } from '@/lib/money'
import { formatAge } from '@/lib/time'
import { Figure } from '@/ui/Figure'
import { costsOf } from './ticket'

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
        <Line label={side === 'buy' ? 'Total to pay' : 'Total to receive'} strong>
          <span data-testid="preview-total">{formatUsd(costs?.totalMicros)}</span>
        </Line>
        <Line label="Cash after">
          {preview?.cash_after ? formatUsd(parseMicros(preview.cash_after)) : MISSING}
        </Line>
        <Line label={`${market.base} after`}>{formatWire(preview?.position_after, 0)}</Line>
      </div>
    </dl>
  )
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

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { configQuery, marketsQuery } from '@/api/queries'
import type { Config, Market } from '@/api/types'
import { briefPrice } from '@/lib/format'
import { freshnessAt } from '@/lib/freshness'
import { formatAge } from '@/lib/time'
import { Dimmed } from '@/live/Dimmed'
import { useTick } from '@/live/prices'
import { useNow } from '@/live/status'
import { Change, Figure } from '@/ui/Figure'
import { Panel } from '@/ui/Panel'
import { Failure, Loading } from '@/ui/States'

const FEEDS: Record<Config['feed']['kind'], (speed: string) => string> = {
  live: () => 'Prices come from live markets.',
  tape: (speed) => `Recorded market prices, replayed at ${speed} times their speed.`,
  synthetic: () => 'Made-up prices from a seeded generator, of no market.',
  auto: () => 'Looking for live prices.',
}

/** The coins and their prices now, with the age of each. */
export function MarketBoard() {
  const markets = useQuery(marketsQuery)
  const config = useQuery(configQuery)
  const feed = config.data?.feed
  return (
    <Panel
      title="Prices now"
      aside={feed && <span className="text-xs text-muted">{FEEDS[feed.kind](feed.speed)}</span>}
    >
      {markets.isPending && <Loading label="Loading prices" />}
      {markets.error && !markets.data && (
        <Failure what="prices" error={markets.error} onRetry={() => void markets.refetch()} />
      )}
      <Dimmed>
        <ul>
          {onePerCoin(markets.data ?? []).map((market) => (
            <MarketRow key={market.market} market={market} />
          ))}
        </ul>
      </Dimmed>
    </Panel>
  )
}

/** A perpetual has the price of its coin: it has a row of its own only where there is no spot market. */
function onePerCoin(markets: readonly Market[]): Market[] {
  const spot = new Set(markets.filter((one) => one.kind === 'spot').map((one) => one.base))
  return markets.filter((one) => one.kind === 'spot' || !spot.has(one.base))
}

function MarketRow({ market }: { market: Market }) {
  const tick = useTick(market.market)
  const freshness = freshnessAt(tick, useNow())
  const text = briefPrice(tick?.price)
  return (
    <li>
      <Link
        to="/trade"
        search={{ market: market.market }}
        className="grid grid-cols-[1fr_auto] items-center gap-x-6 border-b border-line py-3 hover:bg-surface sm:grid-cols-[1fr_auto_6rem]"
      >
        <span>
          <span className="text-lg font-semibold">{market.base}</span>
          <span className="ml-2 text-sm text-muted">
            {market.kind === 'spot' ? `/ ${market.quote}` : 'perpetual'}
          </span>
        </span>
        <Figure text={text} testId={`price-${market.market}`} className="text-right text-xl font-medium" />
        <span className="col-span-2 flex justify-between gap-4 text-xs sm:col-span-1 sm:flex-col sm:items-end sm:gap-0">
          {market.change_24h_ppm === null ? <span /> : <Change ppm={market.change_24h_ppm} />}
          <span className={`figure ${freshness.state === 'live' ? 'text-muted' : 'text-warn'}`}>
            {freshness.ageMs === undefined ? 'no price' : `${formatAge(freshness.ageMs)} old`}
          </span>
        </span>
      </Link>
    </li>
  )
}

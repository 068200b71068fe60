import { Link } from '@tanstack/react-router'
import type { Market } from '@/api/types'
import { formatPrice } from '@/lib/format'
import type { Tick } from '@/lib/freshness'
import { Dimmed } from '@/live/Dimmed'
import { useTick } from '@/live/prices'
import { Change, Figure } from '@/ui/Figure'

/** The market that is traded, large, and the others of its kind beside it. */
export function MarketHeader({ markets, selected }: { markets: readonly Market[]; selected: Market }) {
  const tick = useTick(selected.market)
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2 py-3">
      <Dimmed className="flex items-baseline gap-4">
        <h1 className="text-xl font-semibold">
          {selected.kind === 'spot' ? selected.market.replace('-', '/') : selected.market}
        </h1>
        <Figure
          text={priceText(selected, tick)}
          testId={`price-${selected.market}`}
          className="text-2xl font-medium"
        />
        {selected.change_24h_ppm !== null && (
          <span className="text-sm">
            <Change ppm={selected.change_24h_ppm} /> <span className="text-xs text-muted">24 h</span>
          </span>
        )}
      </Dimmed>
      <nav aria-label="Markets" className="flex w-full gap-1 overflow-x-auto sm:w-auto">
        {markets
          .filter((one) => one.kind === selected.kind)
          .map((market) => (
            <MarketTab key={market.market} market={market} selected={market.market === selected.market} />
          ))}
      </nav>
    </div>
  )
}

function MarketTab({ market, selected }: { market: Market; selected: boolean }) {
  const tick = useTick(market.market)
  return (
    <Link
      to="/trade"
      search={(before) => ({ ...before, market: market.market })}
      data-testid={`market-tab-${market.market}`}
      aria-current={selected ? 'page' : undefined}
      className={`flex h-9 shrink-0 items-center gap-2 border-b-2 px-2 text-sm ${selected ? 'border-accent' : 'border-transparent text-muted hover:text-text'}`}
    >
      <span className="font-medium">{market.base}</span>
      {!selected && (
        <Figure text={priceText(market, tick)} testId={`price-${market.market}`} className="text-xs" />
      )}
    </Link>
  )
}

function priceText(market: Market, tick: Tick | undefined): string {
  return formatPrice(tick?.price, market.price_decimals)
}

import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import type { Market } from '@/api/types'
import { formatPrice, marketName } from '@/lib/format'
import type { Tick } from '@/lib/freshness'
import { Dimmed } from '@/live/Dimmed'
import { useTick, useTicks } from '@/live/prices'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Change, Figure } from '@/ui/Figure'

/** The market that is traded, large, and the others of its kind beside it. */
export function MarketHeader({ markets, selected }: { markets: readonly Market[]; selected: Market }) {
  const tick = useTick(selected.market)
  const tabs = useRef<HTMLElement>(null)
  const priced = useTicks().size > 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: another market, or prices, move the tabs
  useEffect(() => {
    const chosen = tabs.current?.querySelector('[aria-current]')
    chosen?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [selected.market, priced])
  return (
    <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2 py-3">
      <Dimmed className="flex items-baseline gap-4">
        <h1 className="text-xl font-semibold">{marketName(selected)}</h1>
        <Figure
          text={priceText(selected, tick)}
          testId={`price-${selected.market}`}
          className="text-2xl font-medium"
        />
        {selected.change_24h_ppm !== null && (
          <span className="text-sm whitespace-nowrap">
            <Change ppm={selected.change_24h_ppm} /> <span className="text-xs text-muted">24 h</span>
          </span>
        )}
      </Dimmed>
      <div className="flex w-full items-center gap-2 sm:w-auto">
        <nav ref={tabs} aria-label="Markets" className="flex min-w-0 flex-1 gap-1 overflow-x-auto">
          {markets
            .filter((one) => one.kind === selected.kind)
            .map((market) => (
              <MarketTab key={market.market} market={market} selected={market.market === selected.market} />
            ))}
        </nav>
        <Button size="small" look="quiet" data-testid="all-markets" onClick={() => openDialog('markets')}>
          All ({markets.length})
        </Button>
      </div>
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

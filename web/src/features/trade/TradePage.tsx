import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { configQuery, marketsQuery, openOrdersQuery, recentQuery, useAccount, useMe } from '@/api/queries'
import type { Market } from '@/api/types'
import { INTERVALS, type Interval } from '@/lib/candles'
import { formatWire, marketName } from '@/lib/format'
import { freshnessAt } from '@/lib/freshness'
import { Dimmed } from '@/live/Dimmed'
import { useTick } from '@/live/prices'
import { useConnection, useNow } from '@/live/status'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Segmented } from '@/ui/Segmented'
import { Failure, Loading } from '@/ui/States'
import { AccountPanel, AccountStatus } from './AccountPanel'
import { Activity } from './Activity'
import { linesOf } from './chartLines'
import { MarketHeader } from './MarketHeader'
import { NotModelled } from './NotModelled'
import { OpenAccount } from './OpenAccount'
import { OrderTicket } from './OrderTicket'
import { StaleBanner } from './StaleBanner'

const PriceChart = lazy(() => import('./PriceChart'))

export function TradePage() {
  const markets = useQuery(marketsQuery)
  const { market: wanted } = useSearch({ from: '/trade' })
  if (markets.isPending) return <Loading rows={8} label="Loading markets" />
  if (!markets.data)
    return <Failure what="the markets" error={markets.error} onRetry={() => void markets.refetch()} />
  const selected = markets.data.find((one) => one.market === wanted) ?? markets.data[0]
  if (!selected) return <p className="py-8 text-muted">This server has no markets.</p>
  return (
    <>
      {wanted && wanted !== selected.market && (
        <p data-testid="market-unknown" className="mt-3 border-l-2 border-warn py-1 pl-3">
          There is no market {wanted} here. This is {marketName(selected)}.
        </p>
      )}
      <Desk markets={markets.data} selected={selected} />
    </>
  )
}

/** Chart and lists on the left, ticket and account on the right; one column on a narrow screen. */
function Desk({ markets, selected }: { markets: readonly Market[]; selected: Market }) {
  const { account } = useAccount()
  return (
    <div>
      <MarketHeader markets={markets} selected={selected} />
      <StaleBanner market={selected.market} />
      {account && <AccountStatus account={account} />}
      <div className="grid gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_320px] lg:grid-rows-[auto_1fr]">
        <Dimmed className="min-w-0">
          <ChartPanel market={selected} />
        </Dimmed>
        <aside className="min-w-0 space-y-3 lg:col-start-2 lg:row-span-2 lg:row-start-1">
          <TicketPanel market={selected} />
          <NotModelled />
        </aside>
        {account && (
          <Dimmed className="min-w-0 space-y-3">
            <AccountPanel account={account} />
            <Activity account={account} markets={markets} />
          </Dimmed>
        )}
      </div>
    </div>
  )
}

function ChartPanel({ market }: { market: Market }) {
  const navigate = useNavigate({ from: '/trade' })
  const { interval = '1m' } = useSearch({ from: '/trade' })
  const { account } = useAccount()
  const fills = useQuery({
    ...recentQuery('fills', account?.account_id ?? ''),
    enabled: Boolean(account),
  })
  const waits = Boolean(account?.open_orders)
  const orders = useQuery({ ...openOrdersQuery(account?.account_id ?? ''), enabled: waits })
  const lines = linesOf(account ?? null, (waits && orders.data) || [], market.market)
  const choose = (next: Interval) => void navigate({ search: (before) => ({ ...before, interval: next }) })
  return (
    <section aria-label="Chart" className="border border-line">
      <div className="flex items-center justify-between border-b border-line p-1">
        <Segmented<Interval>
          label="Candle interval"
          size="small"
          className="border-transparent!"
          value={interval}
          onChange={choose}
          options={INTERVALS.map((value) => ({ value, label: value, testId: `interval-${value}` }))}
        />
        <span className="figure px-2 text-xs text-muted">
          tick {market.tick} · lot {market.lot}
        </span>
      </div>
      <div className="h-[240px] sm:h-[340px] lg:h-[400px]" data-testid="chart">
        <Suspense fallback={<p className="p-2 text-sm text-muted">Loading chart…</p>}>
          <PriceChart
            key={`${market.market} ${interval}`}
            market={market}
            interval={interval}
            fills={fills.data?.items ?? []}
            lines={lines}
          />
        </Suspense>
      </div>
    </section>
  )
}

function TicketPanel({ market }: { market: Market }) {
  const me = useMe()
  const config = useQuery(configQuery)
  const { account, error, retry } = useAccount()
  const tick = useTick(market.market)
  const freshness = freshnessAt(tick, useNow())
  const blocked = useBlocked()
  if (me.error && me.data === undefined)
    return <Failure what="your session" error={me.error} onRetry={() => void me.refetch()} />
  if (me.data === null) return <SignedOut startBalance={config.data?.start_balance} />
  if (error) return <Failure what="your account" error={error} onRetry={retry} />
  if (account === undefined) return <Loading rows={6} label="Loading your account" />
  if (account === null) return <OpenAccount startBalance={config.data?.start_balance} />
  return <OrderTicket account={account} market={market} tick={tick} freshness={freshness} blocked={blocked} />
}

/** Why nothing can be sent whatever the price: the page is cut off from the server. */
function useBlocked(): string | undefined {
  const { state } = useConnection()
  if (state === 'offline') return 'You are offline.'
  if (state === 'reconnecting') return 'The connection is lost; reconnecting.'
  return undefined
}

function SignedOut({ startBalance }: { startBalance: string | undefined }) {
  return (
    <div className="space-y-3">
      <h2 className="text-lg font-semibold">Trade these prices</h2>
      <p className="text-muted">
        Sign in with a Solana or EVM wallet and get{' '}
        {startBalance ? `${formatWire(startBalance, 0)} virtual` : 'virtual'} USD. Signing proves identity; it
        moves no funds.
      </p>
      <Button look="accent" size="large" className="w-full" onClick={() => openDialog('sign_in')}>
        Sign in to trade
      </Button>
    </div>
  )
}

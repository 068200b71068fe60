import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useMemo } from 'react'
import { EQUITY_LIMIT, recentQuery, useAccount, useMe } from '@/api/queries'
import type { Account } from '@/api/types'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { curveOf, maxDrawdownPpm } from './curve'
import { History } from './History'
import { ResetAccount } from './ResetAccount'
import { Headline, Holdings, IdentityLine } from './Statement'

const EquityChart = lazy(() => import('./EquityChart'))
const CURVE_REFRESH_MS = 15_000

export function PortfolioPage() {
  const me = useMe()
  const { account, error, retry } = useAccount()
  if (me.data === null) {
    return (
      <Empty title="Sign in to see your portfolio.">
        <Button look="accent" onClick={() => openDialog('sign_in')}>
          Sign in
        </Button>
      </Empty>
    )
  }
  if (error) return <Failure what="your account" error={error} onRetry={retry} />
  if (account === undefined) return <Loading rows={8} label="Loading your account" />
  if (account === null) {
    return (
      <Empty title="You have no practice account yet.">
        <Link to="/trade" className="text-accent underline">
          Open one on the trade page
        </Link>
      </Empty>
    )
  }
  return <Portfolio account={account} />
}

function Portfolio({ account }: { account: Account }) {
  const marks = useQuery({
    ...recentQuery('equity', account.account_id, EQUITY_LIMIT),
    refetchInterval: CURVE_REFRESH_MS,
  })
  const items = marks.data?.items
  const points = useMemo(() => curveOf(items ?? [], account.cycle), [items, account.cycle])
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 pt-4">
        <h1 className="text-xl font-semibold">
          Portfolio{' '}
          <span className="text-base font-normal text-muted">practice account, cycle {account.cycle}</span>
        </h1>
        <ResetAccount account={account} />
      </div>
      <Headline account={account} drawdownPpm={items && maxDrawdownPpm(items, account.cycle)} />
      <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1fr)_300px]">
        <Panel title="Equity" className="min-w-0">
          <div className="h-[240px]">
            {marks.error && !items && (
              <Failure what="the equity curve" error={marks.error} onRetry={() => void marks.refetch()} />
            )}
            {items && points.length < 2 && <Empty title="The curve starts with your first fill." />}
            {points.length >= 2 && (
              <Suspense fallback={<Loading label="Loading chart" />}>
                <EquityChart points={points} start={Number(account.start)} />
              </Suspense>
            )}
          </div>
        </Panel>
        <IdentityLine account={account} />
      </div>
      <div className="mt-6 space-y-6">
        <Holdings account={account} />
        <History accountId={account.account_id} />
      </div>
    </>
  )
}

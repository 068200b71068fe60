import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useMemo } from 'react'
import { curveQuery, EQUITY_MARKS_MAX, useAccount, useMe } from '@/api/queries'
import type { Account } from '@/api/types'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { curveOf, maxDrawdownPpm } from './curve'
import { History } from './History'
import { Holdings } from './Holdings'
import { ResetAccount } from './ResetAccount'
import { ResultsPanel } from './ResultsPanel'
import { Headline, IdentityLine } from './Statement'

const EquityChart = lazy(() => import('./EquityChart'))

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
  const curve = useQuery(curveQuery(account.account_id, account.cycle))
  const marks = curve.data?.marks
  const points = useMemo(() => curveOf(marks ?? []), [marks])
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 pt-4">
        <h1 className="text-xl font-semibold">
          Portfolio{' '}
          <span className="text-base font-normal text-muted">practice account, cycle {account.cycle}</span>
        </h1>
        <ResetAccount account={account} />
      </div>
      <Headline account={account} drawdownPpm={marks && maxDrawdownPpm(marks, account.start)} />
      <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1fr)_300px]">
        <Panel
          title="Equity"
          className="min-w-0"
          aside={
            curve.data?.cut && <span className="text-xs text-muted">the newest {EQUITY_MARKS_MAX} marks</span>
          }
        >
          <div className="h-[240px]">
            {curve.error && !marks && (
              <Failure what="the equity curve" error={curve.error} onRetry={() => void curve.refetch()} />
            )}
            {marks && points.length === 0 && <Empty title="The curve starts soon after your first fill." />}
            {points.length > 0 && (
              <Suspense fallback={<Loading label="Loading chart" />}>
                <EquityChart points={points} account={account} />
              </Suspense>
            )}
          </div>
        </Panel>
        <IdentityLine account={account} />
      </div>
      <div className="mt-6 space-y-6">
        <ResultsPanel account={account} />
        <Holdings account={account} />
        <History accountId={account.account_id} />
      </div>
    </>
  )
}

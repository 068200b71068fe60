import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { resultsQuery, useAccount, useMe } from '@/api/queries'
import type { Account } from '@/api/types'
import { Dimmed } from '@/live/Dimmed'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Empty, Failure, Loading } from '@/ui/States'
import { EquityPanel } from './EquityPanel'
import { History } from './History'
import { Holdings } from './Holdings'
import { ResetAccount } from './ResetAccount'
import { ResultsPanel } from './ResultsPanel'
import { Headline, IdentityLine } from './Statement'

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
  if (me.error && me.data === undefined)
    return <Failure what="your session" error={me.error} onRetry={() => void me.refetch()} />
  if (error) return <Failure what="your account" error={error} onRetry={retry} />
  if (account === undefined) return <Loading rows={8} label="Loading your account" />
  if (account === null) {
    return (
      <Empty title="You have no practice account yet.">
        <Link to="/trade" className="link text-accent">
          Open one on the trade page
        </Link>
      </Empty>
    )
  }
  return <Portfolio account={account} />
}

function Portfolio({ account }: { account: Account }) {
  const results = useQuery(resultsQuery(account.account_id, account.cycle))
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 pt-4">
        <h1 className="text-xl font-semibold">
          Portfolio{' '}
          <span className="text-base font-normal text-muted">
            {account.kind} account, cycle {account.cycle}
          </span>
        </h1>
        {account.kind === 'practice' && <ResetAccount account={account} />}
      </div>
      <Dimmed>
        <Headline account={account} drawdownPpm={results.data?.max_drawdown_ppm} />
        <div className="grid gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1fr)_300px]">
          <EquityPanel account={account} results={results.data} />
          <IdentityLine account={account} />
        </div>
        <div className="mt-6 space-y-6">
          <Holdings account={account} />
          <ResultsPanel query={results} />
          <History accountId={account.account_id} />
        </div>
      </Dimmed>
    </>
  )
}

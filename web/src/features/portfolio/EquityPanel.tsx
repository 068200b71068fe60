import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { useHeldCurve } from '@/api/holding'
import { curveQuery, EQUITY_MARKS_MAX } from '@/api/queries'
import type { Account, Results } from '@/api/types'
import { curveOf } from '@/lib/curves'
import { formatPpm, MISSING } from '@/lib/format'
import { formatTime } from '@/lib/time'
import { Panel } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'

const EquityChart = lazy(() => import('./EquityChart'))

interface Props {
  account: Account
  results: Results | undefined
}

/** The curve of the cycle beside what holding would have made, and its drawdown. */
export function EquityPanel({ account, results }: Props) {
  const curve = useQuery(curveQuery(account.account_id, account.cycle))
  const marks = curve.data?.marks
  const points = useMemo(() => curveOf(marks ?? []), [marks])
  const held = useHeldCurve(results)
  return (
    <Panel
      title="Equity"
      className="min-w-0"
      aside={
        curve.data?.cut && <span className="text-xs text-muted">the newest {EQUITY_MARKS_MAX} marks</span>
      }
    >
      {results && results.marks > 0 && <Legend results={results} />}
      <div className="h-[300px]" data-testid="equity-chart">
        {curve.error && !marks && (
          <Failure what="the equity curve" error={curve.error} onRetry={() => void curve.refetch()} />
        )}
        {marks && points.length === 0 && <Empty title="The curve starts soon after your first fill." />}
        {points.length > 0 && (
          <Suspense fallback={<Loading label="Loading chart" />}>
            <EquityChart points={points} held={held} account={account} />
          </Suspense>
        )}
      </div>
    </Panel>
  )
}

function Legend({ results }: { results: Results }) {
  const zone = useZone()
  const { baselines } = results
  const entries = [
    { mark: '━', label: 'You', ppm: results.return_ppm, testId: 'result-return' },
    ...(baselines
      ? [
          {
            mark: '╌',
            label: `Holding ${baselines.market}`,
            ppm: baselines.buy_and_hold.return_ppm,
            testId: 'result-holding',
          },
        ]
      : []),
  ]
  return (
    <ul className="mb-2 flex flex-wrap gap-x-5 gap-y-1 text-sm">
      {entries.map((entry) => (
        <li key={entry.testId} className="flex items-baseline gap-2">
          <span aria-hidden="true" className="figure text-muted">
            {entry.mark}
          </span>
          {entry.label}
          <span className="figure font-medium" data-testid={entry.testId}>
            {entry.ppm === null ? MISSING : formatPpm(entry.ppm)}
          </span>
        </li>
      ))}
      {results.as_of_ms !== null && (
        <li className="text-muted">as of {formatTime(results.as_of_ms, zone)}</li>
      )}
    </ul>
  )
}

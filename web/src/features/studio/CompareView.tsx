import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { changePpm, curveOf } from '@/lib/curves'
import { formatPpm, formatPrice, formatScaled, MISSING } from '@/lib/format'
import { LineKey } from '@/ui/charts/LineKey'
import { Change } from '@/ui/Figure'
import { Panel, TableScroll } from '@/ui/Panel'
import { Failure, Loading } from '@/ui/States'
import { type Comparison, compareQuery } from './backtests'

const LinesChart = lazy(() => import('@/ui/charts/LinesChart'))

const COLUMNS = ['Strategy', 'Return', 'Drawdown', 'Sharpe', 'Win rate', 'Fills', 'Fees'] as const

/** Finished backtests of the same minutes: their curves over one another, their figures in one table. */
export function CompareView({ ids }: { ids: readonly string[] }) {
  const comparison = useQuery(compareQuery(ids))
  if (comparison.isPending) return <Loading rows={6} label="Loading the comparison" />
  if (!comparison.data) {
    return (
      <Failure what="the comparison" error={comparison.error} onRetry={() => void comparison.refetch()} />
    )
  }
  return <Compared comparison={comparison.data} />
}

function Compared({ comparison }: { comparison: Comparison }) {
  const { items } = comparison
  const lines = useMemo(
    () => items.map((one) => ({ name: one.backtest.name, points: curveOf(one.results.curve) })),
    [items],
  )
  const baseline = useMemo(() => curveOf(items[0]?.holding ?? []), [items])
  return (
    <Panel
      title="Side by side"
      aside={
        <span className="text-xs text-muted">
          <span aria-hidden="true">━</span> holding {items[0]?.backtest.markets[0]?.replace('-', '/')}{' '}
          <span className="figure">{formatPpm(changePpm(baseline))}</span>, without costs
        </span>
      }
    >
      <div className="mb-3 h-[300px]" data-testid="comparison-chart" data-lines={lines.length}>
        <Suspense fallback={<Loading rows={6} label="Loading the chart" />}>
          <LinesChart label="Equity of each backtest" lines={lines} baseline={baseline} />
        </Suspense>
      </div>
      <TableScroll label="Comparison">
        <table className="ruled" data-testid="backtest-comparison">
          <thead>
            <tr>
              {COLUMNS.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map(({ backtest, results }, at) => (
              <tr key={backtest.backtest_id}>
                <th scope="row" className="border-b-line! font-medium! text-sm! text-text!">
                  <span className="flex items-center gap-2">
                    <LineKey at={at} />
                    {backtest.name}
                  </span>
                </th>
                <td>
                  <Change ppm={results.return_ppm} />
                </td>
                <td className="figure text-sm">{percent(results.max_drawdown_ppm)}</td>
                <td className="figure text-sm">{formatPrice(results.sharpe, 2)}</td>
                <td className="figure text-sm">{formatPrice(results.win_rate, 2)}</td>
                <td className="figure text-sm">{results.fills}</td>
                <td className="figure text-sm">{formatPrice(results.fees, 2)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </Panel>
  )
}

const percent = (ppm: number | null) => (ppm === null ? MISSING : `${formatScaled(BigInt(ppm), 4, 2)}%`)

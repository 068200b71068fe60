import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { candlesQuery, resultsQuery } from '@/api/queries'
import type { Account, Results } from '@/api/types'
import { Panel, TableScroll } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { curveOf } from './curve'
import {
  chanceSentence,
  heldCurve,
  intervalFor,
  type Metric,
  metricsOf,
  NOT_YET,
  percent,
  sinceText,
  tossersText,
  underwater,
} from './results'

const ResultsChart = lazy(() => import('./ResultsChart'))

/** What the cycle came to: beside holding and chance, with the size of every sample. */
export function ResultsPanel({ account }: { account: Account }) {
  const query = useQuery(resultsQuery(account.account_id, account.cycle))
  const results = query.data
  return (
    <Panel
      title="Results"
      className="min-w-0"
      aside={results && <span className="text-xs text-muted">{sinceText(results)}</span>}
    >
      {query.isPending && <Loading rows={6} label="Loading results" />}
      {query.error && !results && (
        <Failure what="the results" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {results && (
        <div data-testid="results" data-marks={results.marks} className="space-y-4">
          <p className="text-lg" data-testid="chance">
            {chanceSentence(results)}
          </p>
          {results.marks === 0 ? <Empty title="Nothing to measure yet." /> : <Comparison results={results} />}
          <Metrics metrics={metricsOf(results)} />
        </div>
      )}
    </Panel>
  )
}

function Comparison({ results }: { results: Results }) {
  const { baselines, started_ms: fromMs, as_of_ms, start } = results
  const toMs = as_of_ms ?? fromMs
  const market = baselines?.market ?? ''
  const candles = useQuery({
    ...candlesQuery(market, intervalFor(toMs - fromMs)),
    enabled: baselines !== null,
  })
  const equity = useMemo(() => curveOf(results.curve), [results.curve])
  const drawdown = useMemo(() => underwater(equity, start), [equity, start])
  const held = useMemo(
    () => heldCurve(candles.data ?? [], start, { fromMs, toMs }),
    [candles.data, start, fromMs, toMs],
  )
  return (
    <>
      <ul className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
        <Legend mark="━" label="You" value={percent(results.return_ppm)} testId="result-return" />
        {baselines && (
          <Legend
            mark="╌"
            label={`Holding ${market}`}
            value={percent(baselines.buy_and_hold.return_ppm)}
            testId="result-holding"
          />
        )}
        <Legend
          mark="▁"
          label="Largest drawdown"
          value={percent(results.max_drawdown_ppm).replace('+', '')}
          testId="result-drawdown"
        />
      </ul>
      <div className="h-[300px]" data-testid="results-chart">
        <Suspense fallback={<Loading label="Loading chart" />}>
          <ResultsChart equity={equity} held={held} drawdown={drawdown} />
        </Suspense>
      </div>
      <p className="text-sm text-muted" data-testid="tossers">
        {tossersText(baselines) ?? 'Holding and chance are compared once there are enough prices.'}
      </p>
    </>
  )
}

interface LegendProps {
  mark: string
  label: string
  value: string
  testId: string
}

function Legend({ mark, label, value, testId }: LegendProps) {
  return (
    <li className="flex items-baseline gap-2">
      <span aria-hidden="true" className="figure text-muted">
        {mark}
      </span>
      {label}
      <span className="figure font-medium" data-testid={testId}>
        {value}
      </span>
    </li>
  )
}

function Metrics({ metrics }: { metrics: readonly Metric[] }) {
  return (
    <TableScroll label="Metrics">
      <table className="ruled" data-testid="metrics">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" data-figure>
              Value
            </th>
            <th scope="col" data-figure>
              Sample
            </th>
            <th scope="col" className="hidden md:table-cell">
              What it says
            </th>
          </tr>
        </thead>
        <tbody>
          {metrics.map((metric) => (
            <tr key={metric.label} data-testid="metric-row">
              <td title={metric.meaning}>{metric.label}</td>
              <td data-figure className={metric.value === NOT_YET ? 'text-muted' : ''}>
                {metric.value}
              </td>
              <td data-figure className="text-muted">
                {metric.sample}
              </td>
              <td className="hidden text-sm text-muted md:table-cell">{metric.meaning}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

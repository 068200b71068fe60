import type { UseQueryResult } from '@tanstack/react-query'
import type { Results } from '@/api/types'
import { Panel, TableScroll } from '@/ui/Panel'
import { Failure, Loading } from '@/ui/States'
import { chanceSentence, type Metric, metricsOf, NOT_YET, sinceText, tossersText } from './results'

/** What the cycle came to: beside chance, with the size of every sample. */
export function ResultsPanel({ query }: { query: UseQueryResult<Results> }) {
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
        <div data-testid="results" data-marks={results.marks}>
          <p className="text-lg" data-testid="chance">
            {chanceSentence(results)}
          </p>
          <p className="mt-1 mb-4 text-sm text-muted" data-testid="tossers">
            {tossersText(results.baselines) ??
              'Holding and chance are compared once there are enough prices.'}
          </p>
          <Metrics metrics={metricsOf(results)} />
        </div>
      )}
    </Panel>
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

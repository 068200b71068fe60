import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo, useState } from 'react'
import type { Backtest } from '@/api/backtests'
import type { Results } from '@/api/types'
import { changePpm, curveOf, underwater } from '@/lib/curves'
import { codeText, wantedText } from '@/lib/decisions'
import { briefPrice, formatPpm, formatPrice, formatScaled, formatWire, grouped, MISSING } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Cell, Cells, Panel, TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Failure, Loading } from '@/ui/States'
import { type BacktestResult, decisionsQuery, resultQuery } from './backtests'

/** Decisions that are shown at first. */
const FEW = 10

const CurveChart = lazy(() => import('@/ui/charts/CurveChart'))

/** What one backtest came to. */
export function BacktestResultView({ id }: { id: string }) {
  const result = useQuery(resultQuery(id))
  if (result.isPending) return <Loading rows={6} label="Loading the result" />
  if (!result.data) {
    return <Failure what="the result" error={result.error} onRetry={() => void result.refetch()} />
  }
  return (
    <div data-testid="backtest-result" className="space-y-4">
      <Curve result={result.data} />
      <Figures results={result.data.results} />
      <ModelFigures backtest={result.data.backtest} />
      <DecisionLog id={id} counts={result.data.decisions} />
      <a href={`/v1/backtests/${encodeURIComponent(id)}/page`} download className="link text-sm text-accent">
        Keep it as one page
      </a>
      <p className="figure text-xs break-all text-muted" data-testid="result-hash">
        result {result.data.backtest.result_hash}
      </p>
    </div>
  )
}

function Curve({ result }: { result: BacktestResult }) {
  const { curve, start } = result.results
  const points = useMemo(() => curveOf(curve), [curve])
  const held = useMemo(() => curveOf(result.holding), [result.holding])
  const drawdown = useMemo(() => underwater(points, start), [points, start])
  return (
    <Panel
      title="Equity"
      aside={
        <p className="flex flex-wrap gap-x-4 text-sm">
          <span>
            <span aria-hidden="true">━</span> strategy{' '}
            <span className="figure">{formatPpm(result.results.return_ppm)}</span>
          </span>
          <span className="text-muted">
            <span aria-hidden="true">╌</span> holding {result.backtest.markets[0]}, without costs{' '}
            <span className="figure">{formatPpm(changePpm(held))}</span>
          </span>
        </p>
      }
    >
      <div className="h-[280px]" data-testid="backtest-chart">
        <Suspense fallback={<Loading rows={5} label="Loading the chart" />}>
          <CurveChart
            label="Equity of the backtest, and drawdown"
            points={points}
            held={held}
            drawdown={drawdown}
          />
        </Suspense>
      </div>
    </Panel>
  )
}

function Figures({ results }: { results: Results }) {
  return (
    <Cells>
      <Cell label="Return">{formatPpm(results.return_ppm)}</Cell>
      <Cell label="Largest drawdown">{percent(results.max_drawdown_ppm)}</Cell>
      <Cell label="Sharpe">{formatPrice(results.sharpe, 2)}</Cell>
      <Cell label="Win rate">{formatPrice(results.win_rate, 2)}</Cell>
      <Cell label="Fills">{results.fills}</Cell>
      <Cell label="Fees, USD">{formatPrice(results.fees, 2)}</Cell>
      <Cell label="Funding, USD">{formatPrice(results.funding, 2)}</Cell>
      <Cell label="Exposure">{percent(results.exposure_ppm)}</Cell>
    </Cells>
  )
}

/** What its prompts took. An answer without a known price is said to be one. */
function ModelFigures({ backtest }: { backtest: Backtest }) {
  const models = backtest.summary?.models
  if (!models) return null
  const { asked } = backtest
  return (
    <Panel
      title="Answers of models"
      aside={asked?.stopped && <span className="text-sm text-warn">{codeText(asked.stopped)}</span>}
    >
      <div data-testid="backtest-models">
        <Cells>
          <Cell label="Questions">{grouped(models.questions)}</Cell>
          <Cell label="Without an answer" testId="answers-missing">
            <span className={models.missing > 0 ? 'text-warn' : ''}>{grouped(models.missing)}</span>
          </Cell>
          <Cell label="Not usable">{grouped(models.failed)}</Cell>
          <Cell label="Asked now">{grouped(asked?.calls ?? 0)}</Cell>
          <Cell label="Tokens in">{grouped(models.tokens_in)}</Cell>
          <Cell label="Tokens out">{grouped(models.tokens_out)}</Cell>
          <Cell label="Cost of its answers, USD">{costOf(models)}</Cell>
        </Cells>
      </div>
    </Panel>
  )
}

function costOf({ cost, unpriced }: { cost: string; unpriced: number }): string {
  if (unpriced === 0) return formatWire(cost, 2)
  return /[1-9]/.test(cost) ? `at least ${formatWire(cost, 2)}` : 'unknown'
}

function DecisionLog({ id, counts }: { id: string; counts: BacktestResult['decisions'] }) {
  const zone = useZone()
  const log = useQuery(decisionsQuery(id))
  const [all, setAll] = useState(false)
  const known = log.data?.items ?? []
  const shown = all ? known : known.slice(0, FEW)
  return (
    <Panel
      title="Decisions"
      aside={
        <span className="text-xs text-muted">
          {counts.map((one) => `${codeText(one.code)}: ${one.count}`).join(' · ')}
        </span>
      }
    >
      {log.isPending && <Loading rows={3} label="Loading decisions" />}
      {log.error && <Failure what="decisions" error={log.error} onRetry={() => void log.refetch()} />}
      {log.data && (
        <TableScroll label="Decisions of the backtest">
          <table className="ruled" data-testid="backtest-decisions">
            <tbody>
              {shown.map((one) => (
                <tr key={`${one.slot_ms} ${one.market}`}>
                  <td className="figure text-xs">{formatDateTime(one.slot_ms, zone)}</td>
                  <td className="text-sm">{wantedText(one)}</td>
                  <td className="figure text-sm">{briefPrice(one.mid)}</td>
                  <td className="text-sm text-muted">{one.code === 'allowed' ? '' : codeText(one.code)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
      {shown.length < known.length && (
        <Button size="small" className="mt-2" data-testid="all-decisions" onClick={() => setAll(true)}>
          Show {known.length - shown.length} more
        </Button>
      )}
      {all && log.data?.next_cursor && (
        <p className="mt-1 text-xs text-muted">These are the first {known.length}.</p>
      )}
    </Panel>
  )
}

const percent = (ppm: number | null) => (ppm === null ? MISSING : `${formatScaled(BigInt(ppm), 4, 2)}%`)

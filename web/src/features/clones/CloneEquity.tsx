import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { type CloneEquity as Equity, equityQuery } from '@/api/clones'
import { changePpm, curveOf, underwater } from '@/lib/curves'
import { formatPpm, formatPrice, formatScaled, MISSING } from '@/lib/format'
import { Change } from '@/ui/Figure'
import { Cell, Cells, Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'

const CurveChart = lazy(() => import('@/ui/charts/CurveChart'))

const POLL_MS = 30_000

/** What the clone made of its capital, beside buying and holding its market. */
export function CloneEquity({ cloneId, isLive }: { cloneId: string; isLive: boolean }) {
  const equity = useQuery({ ...equityQuery(cloneId), refetchInterval: isLive ? false : POLL_MS })
  if (equity.isPending) return <Loading rows={6} label="Loading the equity curve" />
  if (!equity.data) {
    return <Failure what="the equity curve" error={equity.error} onRetry={() => void equity.refetch()} />
  }
  return (
    <div className="space-y-4">
      <Figures equity={equity.data} />
      <Curve equity={equity.data} />
    </div>
  )
}

function Figures({ equity }: { equity: Equity }) {
  const { curve, start } = equity
  const now = useMemo(() => {
    const points = curveOf(curve)
    const deepest = Math.min(0, ...underwater(points, start).map((one) => one.value))
    const first = points[0] && { seconds: 0, value: Number(start) }
    return {
      returnPpm: first ? changePpm([first, ...points]) : null,
      deepest: points.length ? deepest : null,
    }
  }, [curve, start])
  return (
    <div className="border-t border-line pt-3">
      <Cells>
        <Cell label="Equity, USD" testId="clone-equity-now">
          {formatPrice(equity.equity ?? equity.start, 2)}
        </Cell>
        <Cell label="Return" testId="clone-return">
          {now.returnPpm === null ? MISSING : <Change ppm={now.returnPpm} />}
        </Cell>
        <Cell label={`Holding ${equity.baselines?.market.split('-')[0] ?? ''}`}>
          {formatPpm(equity.baselines?.buy_and_hold.return_ppm)}
        </Cell>
        <Cell label="Largest drawdown">
          {now.deepest === null
            ? MISSING
            : `${formatScaled(BigInt(Math.round(now.deepest * 10_000)), 4, 2)}%`}
        </Cell>
        <Cell label="Fills">{equity.fills}</Cell>
      </Cells>
    </div>
  )
}

function Curve({ equity }: { equity: Equity }) {
  const { curve, start, buy_and_hold_points: holding, baselines } = equity
  const points = useMemo(() => curveOf(curve), [curve])
  const drawdown = useMemo(() => underwater(points, start), [points, start])
  const held = useMemo(() => curveOf(holding), [holding])
  return (
    <Panel
      title="Equity"
      aside={
        held.length > 0 && (
          <p className="flex flex-wrap gap-x-4 text-xs text-muted">
            <span>
              <span aria-hidden="true" className="text-text">
                ━
              </span>{' '}
              clone
            </span>
            <span>
              <span aria-hidden="true" className="text-accent">
                ╌
              </span>{' '}
              buy and hold {baselines?.market.replace('-', '/')}
            </span>
          </p>
        )
      }
    >
      {points.length === 0 ? (
        <Empty title="The curve starts once its account is marked." />
      ) : (
        <div
          className="h-[300px]"
          data-testid="clone-equity"
          data-marks={points.length}
          data-held={held.length}
        >
          <Suspense fallback={<Loading rows={5} label="Loading the chart" />}>
            <CurveChart
              label="Equity beside buying and holding, and drawdown"
              points={points}
              held={held}
              drawdown={drawdown}
            />
          </Suspense>
        </div>
      )}
    </Panel>
  )
}

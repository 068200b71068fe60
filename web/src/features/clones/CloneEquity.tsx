import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { useHeldCurve } from '@/api/holding'
import { curveOf, underwater } from '@/lib/curves'
import { formatPpm } from '@/lib/format'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { equityQuery } from './api'

const CurveChart = lazy(() => import('@/ui/charts/CurveChart'))

/** What the clone made of its capital, beside buying and holding its market. */
export function CloneEquity({ cloneId }: { cloneId: string }) {
  const equity = useQuery(equityQuery(cloneId))
  const { data } = equity
  const points = useMemo(() => curveOf(data?.curve ?? []), [data])
  const drawdown = useMemo(() => underwater(points, data?.start ?? '0'), [points, data])
  const held = useHeldCurve(data ?? undefined)
  return (
    <Panel
      title="Equity"
      aside={
        data && (
          <p className="flex flex-wrap gap-x-4 text-sm">
            <span>
              <span aria-hidden="true">━</span> clone{' '}
              <span className="figure">{formatPpm(data.return_ppm)}</span>
            </span>
            {data.baselines && (
              <span className="text-muted">
                <span aria-hidden="true">╌</span> holding {data.baselines.market}{' '}
                <span className="figure">{formatPpm(data.baselines.buy_and_hold.return_ppm)}</span>
              </span>
            )}
            <span className="text-muted">
              {data.fills} {data.fills === 1 ? 'fill' : 'fills'}
            </span>
          </p>
        )
      }
    >
      {equity.isPending && <Loading rows={5} label="Loading the equity curve" />}
      {equity.error && (
        <Failure what="the equity curve" error={equity.error} onRetry={() => void equity.refetch()} />
      )}
      {data !== undefined && points.length === 0 && <Empty title="The curve starts with its first trade." />}
      {points.length > 0 && (
        <div className="h-[300px]" data-testid="clone-equity">
          <Suspense fallback={<Loading rows={5} label="Loading the chart" />}>
            <CurveChart
              label="Equity beside holding, and drawdown"
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

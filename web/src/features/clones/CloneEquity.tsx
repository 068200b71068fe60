import { useQuery } from '@tanstack/react-query'
import { lazy, Suspense, useMemo } from 'react'
import { changePpm, drawdownOf, pointsOf } from '@/lib/curves'
import { formatPpm } from '@/lib/format'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { equityQuery } from './api'

const CurveChart = lazy(() => import('@/ui/charts/CurveChart'))

/** What the clone made of its capital, beside buying and holding its markets. */
export function CloneEquity({ cloneId }: { cloneId: string }) {
  const equity = useQuery(equityQuery(cloneId))
  const marks = equity.data?.items
  const points = useMemo(() => pointsOf(marks ?? [], (mark) => mark.equity), [marks])
  const held = useMemo(() => pointsOf(marks ?? [], (mark) => mark.holding), [marks])
  const drawdown = useMemo(() => drawdownOf(points), [points])
  return (
    <Panel
      title="Equity"
      aside={
        points.length > 0 && (
          <p className="flex flex-wrap gap-x-4 text-sm">
            <span>
              <span aria-hidden="true">━</span> clone{' '}
              <span className="figure">{formatPpm(changePpm(points))}</span>
            </span>
            <span className="text-muted">
              <span aria-hidden="true">╌</span> buy and hold{' '}
              <span className="figure">{formatPpm(changePpm(held))}</span>
            </span>
          </p>
        )
      }
    >
      {equity.isPending && <Loading rows={5} label="Loading the equity curve" />}
      {equity.error && (
        <Failure what="the equity curve" error={equity.error} onRetry={() => void equity.refetch()} />
      )}
      {equity.data !== undefined && points.length === 0 && (
        <Empty title="The curve starts with its first trade." />
      )}
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

import {
  createChart,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type UTCTimestamp,
} from 'lightweight-charts'
import { useEffect, useRef } from 'react'
import type { Account } from '@/api/types'
import { identityAt } from '@/lib/equity'
import { useMarks } from '@/live/prices'
import { useNow } from '@/live/status'
import { chartColours, chartOptions } from '@/ui/charts/theme'
import { usePreferences, useZone } from '@/ui/preferences'
import { type CurvePoint, withNow } from './curve'

/** Equity over time with the starting balance as its baseline; the last point is now. */
export default function EquityChart({
  points,
  account,
}: {
  points: readonly CurvePoint[]
  account: Account
}) {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<{ chart: IChartApi; series: ISeriesApi<'Line'> } | undefined>(undefined)
  const zone = useZone()
  const { theme, palette } = usePreferences()
  const { equityMicros } = identityAt(account, useMarks())
  const nowSeconds = Math.floor(useNow(1_000) / 1_000)
  const start = Number(account.start)
  const look = `${theme} ${palette} ${zone}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme, palette and zone are all of `look`
  useEffect(() => {
    if (!box.current) return
    const colours = chartColours()
    const chart = createChart(box.current, chartOptions(colours, zone))
    const series = chart.addSeries(LineSeries, {
      color: colours.text,
      lineWidth: 2,
      priceLineVisible: false,
      priceFormat: { type: 'price', precision: 2, minMove: 0.01 },
    })
    series.createPriceLine({
      price: start,
      color: colours.muted,
      lineStyle: LineStyle.Dashed,
      lineWidth: 1,
      axisLabelVisible: true,
      title: 'start',
    })
    drawn.current = { chart, series }
    return () => {
      drawn.current = undefined
      chart.remove()
    }
  }, [look, start])

  // biome-ignore lint/correctness/useExhaustiveDependencies: once a second is enough for the last point, and a chart drawn anew needs its points
  useEffect(() => {
    const whole = withNow(points, nowSeconds * 1_000, equityMicros)
    drawn.current?.series.setData(
      whole.map((point) => ({ time: point.seconds as UTCTimestamp, value: point.value })),
    )
    drawn.current?.chart.timeScale().fitContent()
  }, [points, nowSeconds, look, start])

  return <div ref={box} className="h-full" role="img" aria-label="Equity over time" />
}

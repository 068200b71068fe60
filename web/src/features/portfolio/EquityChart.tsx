import { createChart, LineSeries, LineStyle, type UTCTimestamp } from 'lightweight-charts'
import { useEffect, useRef } from 'react'
import { chartColours, chartOptions } from '@/ui/charts/theme'
import { usePreferences, useZone } from '@/ui/preferences'
import type { CurvePoint } from './curve'

/** Equity over time with the starting balance as its baseline. */
export default function EquityChart({ points, start }: { points: readonly CurvePoint[]; start: number }) {
  const box = useRef<HTMLDivElement>(null)
  const zone = useZone()
  const { theme, palette } = usePreferences()
  const look = `${theme} ${palette}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and palette reach the chart through CSS variables
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
    series.setData(points.map((point) => ({ time: point.seconds as UTCTimestamp, value: point.value })))
    chart.timeScale().fitContent()
    return () => chart.remove()
  }, [points, start, zone, look])

  return <div ref={box} className="h-full" role="img" aria-label="Equity over time" />
}

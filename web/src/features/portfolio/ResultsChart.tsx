import {
  AreaSeries,
  createChart,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type UTCTimestamp,
} from 'lightweight-charts'
import { useEffect, useRef } from 'react'
import { chartColours, chartOptions } from '@/ui/charts/theme'
import { usePreferences, useZone } from '@/ui/preferences'
import type { CurvePoint } from './curve'

interface Drawn {
  chart: IChartApi
  equity: ISeriesApi<'Line'>
  held: ISeriesApi<'Line'>
  drawdown: ISeriesApi<'Area'>
}

interface Props {
  equity: readonly CurvePoint[]
  held: readonly CurvePoint[]
  drawdown: readonly CurvePoint[]
}

const DRAWDOWN_HEIGHT = 70

/** Equity beside holding, and below it how far under its peak it was. */
export default function ResultsChart({ equity, held, drawdown }: Props) {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<Drawn | undefined>(undefined)
  const zone = useZone()
  const { theme, palette } = usePreferences()
  const look = `${theme} ${palette} ${zone}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme, palette and zone are all of `look`
  useEffect(() => {
    if (!box.current) return
    const colours = chartColours()
    const chart = createChart(box.current, chartOptions(colours, zone))
    const common = { lineWidth: 2, priceLineVisible: false } as const
    const equity = chart.addSeries(LineSeries, { ...common, color: colours.text })
    const held = chart.addSeries(LineSeries, {
      ...common,
      color: colours.muted,
      lineWidth: 1,
      lineStyle: LineStyle.Dashed,
    })
    const drawdown = chart.addSeries(
      AreaSeries,
      {
        ...common,
        lineWidth: 1,
        lineColor: colours.loss,
        topColor: 'transparent',
        bottomColor: 'transparent',
        priceFormat: { type: 'percent' },
      },
      1,
    )
    chart.panes()[1]?.setHeight(DRAWDOWN_HEIGHT)
    drawn.current = { chart, equity, held, drawdown }
    return () => {
      drawn.current = undefined
      chart.remove()
    }
  }, [look])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its points again
  useEffect(() => {
    drawn.current?.equity.setData(equity.map(pointOf))
    drawn.current?.held.setData(held.map(pointOf))
    drawn.current?.drawdown.setData(drawdown.map(pointOf))
    drawn.current?.chart.timeScale().fitContent()
  }, [equity, held, drawdown, look])

  return <div ref={box} className="h-full" role="img" aria-label="Equity beside holding, and drawdown" />
}

const pointOf = (point: CurvePoint) => ({ time: point.seconds as UTCTimestamp, value: point.value })

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
import type { Account } from '@/api/types'
import { type CurvePoint, underwater } from '@/lib/curves'
import { identityAt } from '@/lib/equity'
import { useMarks } from '@/live/prices'
import { useNow } from '@/live/status'
import { chartColours, chartOptions, nameLogo } from '@/ui/charts/theme'
import { usePreferences, useZone } from '@/ui/preferences'
import { withNow } from './curve'

const DRAWDOWN_HEIGHT = 64

interface Drawn {
  chart: IChartApi
  equity: ISeriesApi<'Line'>
  held: ISeriesApi<'Line'>
  drawdown: ISeriesApi<'Area'>
}

interface Props {
  points: readonly CurvePoint[]
  /** What holding would have come to over the same time. */
  held: readonly CurvePoint[]
  account: Account
}

/** Equity over time beside holding, and how far it was under its peak; the last point is now. */
export default function EquityChart({ points, held, account }: Props) {
  const box = useRef<HTMLElement>(null)
  const drawn = useRef<Drawn | undefined>(undefined)
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
    nameLogo(box.current)
    const priceFormat = { type: 'price', precision: 2, minMove: 0.01 } as const
    const quiet = { priceLineVisible: false, lineWidth: 1 } as const
    const equity = chart.addSeries(LineSeries, { ...quiet, color: colours.text, lineWidth: 2, priceFormat })
    const held = chart.addSeries(LineSeries, {
      ...quiet,
      color: colours.accent,
      lineStyle: LineStyle.Dashed,
      lastValueVisible: false,
      priceFormat,
    })
    const percent = (value: number) => `${value.toFixed(2)}%`
    const drawdown = chart.addSeries(
      AreaSeries,
      {
        ...quiet,
        lineColor: colours.muted,
        topColor: 'transparent',
        bottomColor: 'transparent',
        priceFormat: { type: 'custom', formatter: percent, minMove: 0.01 },
      },
      1,
    )
    chart.panes()[1]?.setHeight(DRAWDOWN_HEIGHT)
    equity.createPriceLine({
      price: start,
      color: colours.muted,
      lineStyle: LineStyle.Dashed,
      lineWidth: 1,
      axisLabelVisible: true,
      title: 'start',
    })
    drawn.current = { chart, equity, held, drawdown }
    return () => {
      drawn.current = undefined
      chart.remove()
    }
  }, [look, start])

  // biome-ignore lint/correctness/useExhaustiveDependencies: once a second is enough for the last point, and a chart drawn anew needs its points
  useEffect(() => {
    const whole = withNow(points, nowSeconds * 1_000, equityMicros)
    drawn.current?.equity.setData(whole.map(pointOf))
    drawn.current?.held.setData(held.map(pointOf))
    drawn.current?.drawdown.setData(underwater(whole, account.start).map(pointOf))
    drawn.current?.chart.timeScale().fitContent()
  }, [points, held, nowSeconds, look, start])

  return <figure ref={box} className="h-full" aria-label="Equity beside holding, and drawdown" />
}

const pointOf = (point: CurvePoint) => ({ time: point.seconds as UTCTimestamp, value: point.value })

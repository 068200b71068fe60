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
import { usePreferences, useZone } from '@/ui/preferences'
import { chartColours, chartOptions, nameLogo } from './theme'

const DRAWDOWN_HEIGHT = 64
/** So few points that all of them are wanted. */
const FEW = 200

export interface ChartPoint {
  seconds: number
  value: number
}

interface Props {
  label: string
  points: readonly ChartPoint[]
  held: readonly ChartPoint[]
  /** Per cent below the peak, as negative numbers; without it no second pane is drawn. */
  drawdown: readonly ChartPoint[]
  /** Where the curve began, as a line across. */
  start?: number
}

interface Drawn {
  chart: IChartApi
  equity: ISeriesApi<'Line'>
  held: ISeriesApi<'Line'>
  drawdown: ISeriesApi<'Area'>
}

/** A curve beside holding (dashed), and how far it was under its peak. */
export default function CurveChart({ label, points, held, drawdown, start }: Props) {
  const box = useRef<HTMLElement>(null)
  const drawn = useRef<Drawn | undefined>(undefined)
  const fitted = useRef('')
  const zone = useZone()
  const { theme, palette } = usePreferences()
  const look = `${theme} ${palette} ${zone}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme, palette and zone are all of `look`
  useEffect(() => {
    if (!box.current) return
    drawn.current = draw(box.current, zone, start)
    return () => {
      drawn.current?.chart.remove()
      drawn.current = undefined
    }
  }, [look, start])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its points
  useEffect(() => {
    drawn.current?.equity.setData(points.map(pointOf))
    drawn.current?.held.setData(held.map(pointOf))
    drawn.current?.drawdown.setData(drawdown.map(pointOf))
    // A curve that grows leaves the part that is looked at where it is.
    const begin = `${look} ${points[0]?.seconds ?? ''}`
    if (fitted.current !== begin || points.length < FEW) drawn.current?.chart.timeScale().fitContent()
    fitted.current = begin
  }, [points, held, drawdown, look, start])

  return <figure ref={box} className="h-full" aria-label={label} />
}

function draw(box: HTMLElement, zone: string, start?: number): Drawn {
  const colours = chartColours()
  const chart = createChart(box, chartOptions(colours, zone))
  nameLogo(box)
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
  if (start !== undefined)
    equity.createPriceLine({
      price: start,
      color: colours.muted,
      lineStyle: LineStyle.Dashed,
      lineWidth: 1,
      axisLabelVisible: true,
      title: 'start',
    })
  return { chart, equity, held, drawdown }
}

const pointOf = (point: ChartPoint) => ({ time: point.seconds as UTCTimestamp, value: point.value })

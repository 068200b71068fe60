import {
  createChart,
  type IChartApi,
  type ISeriesApi,
  LineSeries,
  LineStyle,
  type UTCTimestamp,
} from 'lightweight-charts'
import { useEffect, useRef } from 'react'
import { usePreferences, useZone } from '@/ui/preferences'
import type { ChartPoint } from './CurveChart'
import { IDENTITIES } from './identities'
import { chartColours, chartOptions, nameLogo } from './theme'

export interface ChartLine {
  name: string
  points: readonly ChartPoint[]
}

interface Props {
  label: string
  /** At most as many as there are identities; what says whose line is whose stands beside the chart. */
  lines: readonly ChartLine[]
  /** What all are measured against. */
  baseline: readonly ChartPoint[]
}

interface Drawn {
  chart: IChartApi
  lines: ISeriesApi<'Line'>[]
  baseline: ISeriesApi<'Line'>
}

/** Several curves over one another: hue and dash say who, never profit. */
export default function LinesChart({ label, lines, baseline }: Props) {
  const box = useRef<HTMLElement>(null)
  const drawn = useRef<Drawn | undefined>(undefined)
  const zone = useZone()
  const { theme, palette } = usePreferences()
  const look = `${theme} ${palette} ${zone} ${lines.length}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme, palette, zone and number are all of `look`
  useEffect(() => {
    if (!box.current) return
    drawn.current = draw(box.current, zone, lines.length)
    return () => {
      drawn.current?.chart.remove()
      drawn.current = undefined
    }
  }, [look])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its points
  useEffect(() => {
    lines.forEach((line, at) => {
      drawn.current?.lines[at]?.setData(line.points.map(pointOf))
    })
    drawn.current?.baseline.setData(baseline.map(pointOf))
    drawn.current?.chart.timeScale().fitContent()
  }, [lines, baseline, look])

  return <figure ref={box} className="h-full" aria-label={label} />
}

const DASHES = {
  solid: LineStyle.Solid,
  dashed: LineStyle.Dashed,
  dotted: LineStyle.Dotted,
  large: LineStyle.LargeDashed,
  sparse: LineStyle.SparseDotted,
} as const

function draw(box: HTMLElement, zone: string, count: number): Drawn {
  const colours = chartColours()
  const chart = createChart(box, chartOptions(colours, zone))
  nameLogo(box)
  const priceFormat = { type: 'price', precision: 2, minMove: 0.01 } as const
  const quiet = { priceLineVisible: false, lastValueVisible: false, priceFormat } as const
  const baseline = chart.addSeries(LineSeries, { ...quiet, color: colours.muted, lineWidth: 1 })
  const lines = IDENTITIES.slice(0, count).map(({ colour, dash }) =>
    chart.addSeries(LineSeries, {
      ...quiet,
      color: colour === 'text' ? colours.text : colour,
      lineStyle: DASHES[dash],
      lineWidth: 2,
    }),
  )
  return { chart, lines, baseline }
}

const pointOf = (point: ChartPoint) => ({ time: point.seconds as UTCTimestamp, value: point.value })

import { useQuery } from '@tanstack/react-query'
import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineStyle,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from 'lightweight-charts'
import { useEffect, useRef } from 'react'
import { candlesQuery } from '@/api/queries'
import type { Fill, Market } from '@/api/types'
import { type Bar, barsOf, foldTick, INTERVAL_MS, type Interval } from '@/lib/candles'
import { shownPrices, subscribePrices } from '@/live/prices'
import { chartColours, chartOptions, nameLogo } from '@/ui/charts/theme'
import { usePreferences, useZone } from '@/ui/preferences'
import { Failure } from '@/ui/States'
import type { ChartLine } from './chartLines'

interface Drawn {
  chart: IChartApi
  series: ISeriesApi<'Candlestick'>
  markers: ISeriesMarkersPluginApi<Time>
}

interface Props {
  market: Market
  interval: Interval
  fills: readonly Fill[]
  lines: readonly ChartLine[]
}

/** Candles from the server, the newest one moved by live ticks, and the person's own fills, entries and orders. */
export default function PriceChart({ market, interval, fills, lines }: Props) {
  const box = useRef<HTMLElement>(null)
  const drawn = useRef<Drawn | undefined>(undefined)
  const last = useRef<Bar | undefined>(undefined)
  const candles = useQuery(candlesQuery(market.market, interval))
  const { refetch } = candles
  const { theme, palette } = usePreferences()
  const zone = useZone()
  const look = `${theme} ${palette} ${zone}`

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and palette reach the chart through CSS variables
  useEffect(() => {
    if (!box.current) return
    const colours = chartColours()
    const chart = createChart(box.current, chartOptions(colours, zone))
    nameLogo(box.current)
    const { gain, loss } = colours
    const series = chart.addSeries(CandlestickSeries, {
      upColor: gain,
      borderUpColor: gain,
      wickUpColor: gain,
      downColor: loss,
      borderDownColor: loss,
      wickDownColor: loss,
      priceLineColor: colours.accent,
      priceFormat: {
        type: 'price',
        precision: market.price_decimals,
        minMove: Number(market.tick),
      },
    })
    drawn.current = { chart, series, markers: createSeriesMarkers(series, []) }
    return () => {
      drawn.current = undefined
      chart.remove()
    }
  }, [look, market.price_decimals, market.tick])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its bars again
  useEffect(() => {
    const bars = barsOf(candles.data ?? [])
    last.current = bars.at(-1)
    drawn.current?.series.setData(bars.map(pointOf))
  }, [candles.data, look, market.price_decimals, market.tick])

  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its markers again
  useEffect(() => {
    drawn.current?.markers.setMarkers(markersOf(fills, market.market, interval))
  }, [fills, market.market, interval, candles.data, look])

  const told = JSON.stringify(lines)
  // biome-ignore lint/correctness/useExhaustiveDependencies: a chart drawn anew needs its lines again
  useEffect(() => {
    const series = drawn.current?.series
    const added = series ? (JSON.parse(told) as ChartLine[]).map((line) => addLine(series, line)) : []
    return () => {
      // A chart that was drawn anew has taken its lines with it.
      if (series && drawn.current?.series === series) for (const line of added) series.removePriceLine(line)
    }
  }, [told, look, market.price_decimals, market.tick])

  const loaded = candles.data !== undefined
  useEffect(() => {
    if (!loaded) return
    return subscribePrices(() => {
      const tick = shownPrices().get(market.market)
      if (!tick?.price || !tick.chartMs) return
      const folded = foldTick(last.current, tick.chartMs, Number(tick.price), INTERVAL_MS[interval])
      if (folded.kind === 'refetch') void refetch({ cancelRefetch: false })
      if (folded.kind !== 'changed' && folded.kind !== 'opened') return
      last.current = folded.bar
      drawn.current?.series.update(pointOf(folded.bar))
    })
  }, [loaded, market.market, interval, refetch])

  return (
    <div className="relative h-full">
      <figure ref={box} className="absolute inset-0" aria-label={`${market.market} candles, ${interval}`} />
      {candles.isPending && <p className="absolute top-2 left-2 text-sm text-muted">Loading candles…</p>}
      {candles.data?.length === 0 && (
        <p className="absolute top-2 left-2 text-sm text-muted">
          No candles yet. The first one forms as prices come in.
        </p>
      )}
      {candles.error && !candles.data && (
        <div className="absolute inset-x-2 top-2">
          <Failure what="the chart" error={candles.error} onRetry={() => void refetch()} />
        </div>
      )}
    </div>
  )
}

function addLine(series: ISeriesApi<'Candlestick'>, { price, title, look }: ChartLine): IPriceLine {
  const { text, muted, loss } = chartColours()
  return series.createPriceLine({
    price,
    title,
    color: { entry: text, liquidation: loss, order: muted }[look],
    lineStyle: look === 'order' ? LineStyle.Dashed : LineStyle.Solid,
    lineWidth: 1,
    axisLabelVisible: true,
  })
}

function pointOf(bar: Bar) {
  const { open, high, low, close } = bar
  return { time: (bar.openMs / 1_000) as UTCTimestamp, open, high, low, close }
}

function markersOf(fills: readonly Fill[], market: string, interval: Interval): SeriesMarker<Time>[] {
  const colours = chartColours()
  const own = fills.filter((fill) => fill.market === market)
  return own
    .map((fill): SeriesMarker<Time> => {
      const atMs = fill.evidence.tape_ms ?? fill.filled_ms
      const openMs = Math.floor(atMs / INTERVAL_MS[interval]) * INTERVAL_MS[interval]
      const buy = fill.side === 'buy'
      return {
        time: (openMs / 1_000) as UTCTimestamp,
        position: buy ? 'belowBar' : 'aboveBar',
        shape: buy ? 'arrowUp' : 'arrowDown',
        color: colours.accent,
        text: buy ? 'B' : 'S',
      }
    })
    .sort((a, b) => Number(a.time) - Number(b.time))
}

/** Equity over time into points of a chart. Pure: points are never smoothed, and only doubles of a second are dropped. */
import { HOUR_MS } from './time'

export interface CurvePoint {
  seconds: number
  value: number
}

/** Oldest first; of two marks in the same second the later one counts. */
export function curveOf(marks: readonly { at_ms: number; equity: string }[]): CurvePoint[] {
  const points: CurvePoint[] = []
  for (const mark of [...marks].sort((a, b) => a.at_ms - b.at_ms)) {
    const point = { seconds: Math.floor(mark.at_ms / 1_000), value: Number(mark.equity) }
    if (points.at(-1)?.seconds === point.seconds) points[points.length - 1] = point
    else points.push(point)
  }
  return points
}

/** What the last point is above or below the first, in parts per million; null while there is nothing to compare. */
export function changePpm(points: readonly CurvePoint[]): number | null {
  const first = points[0]?.value
  const last = points.at(-1)?.value
  if (first === undefined || last === undefined || first <= 0) return null
  return Math.round((last / first - 1) * 1_000_000)
}

/** How far below the highest point so far, in per cent, never above zero. What it started with is the first peak. */
export function underwater(points: readonly CurvePoint[], start: string): CurvePoint[] {
  let peak = Number(start)
  return points.map(({ seconds, value }) => {
    peak = Math.max(peak, value)
    return { seconds, value: peak > 0 ? (value / peak - 1) * 100 : 0 }
  })
}

/** What holding a market would have been worth at the end of each candle: it ends at `held`, which has its costs in it. */
export function heldCurve(
  candles: readonly { open_ms: number; open: string; close: string }[],
  held: { start: string; returnPpm: number },
  span: { fromMs: number; toMs: number; intervalMs: number },
): CurvePoint[] {
  const inside = [...candles]
    .filter((one) => one.open_ms + span.intervalMs > span.fromMs && one.open_ms <= span.toMs)
    .sort((a, b) => a.open_ms - b.open_ms)
  const first = inside[0]
  const last = Number(inside.at(-1)?.close)
  if (!first || !(last > 0)) return []
  const end = Number(held.start) * (1 + held.returnPpm / 1_000_000)
  const worth = (price: string) => (end * Number(price)) / last
  const points = [{ seconds: secondOf(Math.max(first.open_ms, span.fromMs)), value: worth(first.open) }]
  for (const one of inside) {
    const seconds = secondOf(Math.min(one.open_ms + span.intervalMs, span.toMs))
    if (seconds > (points.at(-1)?.seconds ?? 0)) points.push({ seconds, value: worth(one.close) })
  }
  return points
}

const secondOf = (ms: number) => Math.floor(ms / 1_000)

const CANDLES = 450

/** The finest candles that cover a span in one page. */
export function intervalFor(spanMs: number): '1m' | '5m' | '1h' | '1d' {
  if (spanMs <= (CANDLES * HOUR_MS) / 60) return '1m'
  if (spanMs <= (CANDLES * HOUR_MS) / 12) return '5m'
  return spanMs <= CANDLES * HOUR_MS ? '1h' : '1d'
}

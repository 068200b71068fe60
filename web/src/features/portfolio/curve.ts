/** Equity marks into the points of a line. Pure: points are never smoothed or dropped. */
import type { EquityMark } from '@/api/types'
import { parseMicros } from '@/lib/money'

export interface CurvePoint {
  seconds: number
  value: number
}

/** Oldest first, of one cycle; of two marks in the same second the later one counts. */
export function curveOf(marks: readonly EquityMark[], cycle: number): CurvePoint[] {
  const points: CurvePoint[] = []
  const ofCycle = marks.filter((mark) => mark.cycle === cycle).sort((a, b) => a.at_ms - b.at_ms)
  for (const mark of ofCycle) {
    const point = { seconds: Math.floor(mark.at_ms / 1_000), value: Number(mark.equity) }
    if (points.at(-1)?.seconds === point.seconds) points[points.length - 1] = point
    else points.push(point)
  }
  return points
}

/** Largest fall below an earlier peak, in parts per million of that peak. */
export function maxDrawdownPpm(marks: readonly EquityMark[], cycle: number): number {
  let peak = 0n
  let worst = 0n
  for (const mark of marks.filter((one) => one.cycle === cycle).sort((a, b) => a.at_ms - b.at_ms)) {
    const equity = parseMicros(mark.equity)
    if (equity > peak) peak = equity
    const fall = peak > 0n ? ((peak - equity) * 1_000_000n) / peak : 0n
    if (fall > worst) worst = fall
  }
  return Number(worst)
}

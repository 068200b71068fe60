/** The account as it is now at the end of its curve, and the worst that it has been through. Pure. */
import type { EquityMark } from '@/api/types'
import type { CurvePoint } from '@/lib/curves'
import { parseMicros } from '@/lib/money'

/** The curve with what the account is worth now at its end. */
export function withNow(
  points: readonly CurvePoint[],
  nowMs: number,
  equityMicros: bigint | undefined,
): CurvePoint[] {
  const seconds = Math.floor(nowMs / 1_000)
  const last = points.at(-1)
  if (equityMicros === undefined || (last && last.seconds >= seconds)) return [...points]
  return [...points, { seconds, value: Number(equityMicros) / 1e6 }]
}

/** Largest fall below an earlier peak, in parts per million of that peak. The starting balance is the first peak. */
export function maxDrawdownPpm(marks: readonly EquityMark[], start: string): number {
  let peak = parseMicros(start)
  let worst = 0n
  for (const mark of oldestFirst(marks)) {
    const equity = parseMicros(mark.equity)
    if (equity > peak) peak = equity
    const fall = peak > 0n ? ((peak - equity) * 1_000_000n) / peak : 0n
    if (fall > worst) worst = fall
  }
  return Number(worst)
}

function oldestFirst(marks: readonly EquityMark[]): EquityMark[] {
  return [...marks].sort((a, b) => a.at_ms - b.at_ms)
}

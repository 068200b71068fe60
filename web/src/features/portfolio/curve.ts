/** The account as it is now at the end of its curve. Pure. */
import type { CurvePoint } from '@/lib/curves'

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

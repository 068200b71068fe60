/** Equity over time into points of a chart. Pure: points are never smoothed, and only doubles of a second are dropped. */

export interface CurvePoint {
  seconds: number
  value: number
}

interface Marked {
  at_ms: number
}

/** Oldest first; of two marks in one second the later one counts, and a mark without the figure is left out. */
export function pointsOf<M extends Marked>(
  marks: readonly M[],
  figure: (mark: M) => string | null,
): CurvePoint[] {
  const points: CurvePoint[] = []
  for (const mark of [...marks].sort((a, b) => a.at_ms - b.at_ms)) {
    const text = figure(mark)
    if (text === null) continue
    const point = { seconds: Math.floor(mark.at_ms / 1_000), value: Number(text) }
    if (points.at(-1)?.seconds === point.seconds) points[points.length - 1] = point
    else points.push(point)
  }
  return points
}

/** How far each point lies under the highest before it, in per cent: 0 or less. */
export function drawdownOf(points: readonly CurvePoint[]): CurvePoint[] {
  let peak = Number.NEGATIVE_INFINITY
  return points.map(({ seconds, value }) => {
    peak = Math.max(peak, value)
    return { seconds, value: peak > 0 ? (value / peak - 1) * 100 : 0 }
  })
}

/** What changed from the first point to the last, in parts per million; undefined while there is nothing to compare. */
export function changePpm(points: readonly CurvePoint[]): number | undefined {
  const first = points[0]?.value
  const last = points.at(-1)?.value
  if (first === undefined || last === undefined || first <= 0) return undefined
  return Math.round((last / first - 1) * 1_000_000)
}

/** A curve as an SVG path. Pure: every value is a point, none is smoothed. */

const MARGIN = 2

export function sparkPath(
  values: readonly number[],
  base: number,
  width: number,
  height: number,
): { path: string; baseY: number } {
  if (values.length < 2) return { path: '', baseY: height / 2 }
  const low = Math.min(base, ...values)
  const span = Math.max(base, ...values) - low
  const y = (value: number) =>
    span === 0 ? height / 2 : MARGIN + (1 - (value - low) / span) * (height - 2 * MARGIN)
  const step = width / (values.length - 1)
  const points = values.map((value, at) => `${(at * step).toFixed(1)} ${y(value).toFixed(1)}`)
  return { path: `M${points.join('L')}`, baseY: y(base) }
}

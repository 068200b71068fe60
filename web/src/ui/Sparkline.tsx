import { sparkPath } from './spark'

const WIDTH = 160
const HEIGHT = 36

/** The shape of a curve without figures, over a thin line where it started. What it says stands beside it as text. */
export function Sparkline({ values, base }: { values: readonly number[]; base: number }) {
  const { path, baseY } = sparkPath(values, base, WIDTH, HEIGHT)
  if (!path) return <span />
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      className="h-9 w-full min-w-0 flex-1"
    >
      <line x1="0" x2={WIDTH} y1={baseY} y2={baseY} stroke="var(--line)" vectorEffect="non-scaling-stroke" />
      <path d={path} fill="none" stroke="var(--text)" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
    </svg>
  )
}

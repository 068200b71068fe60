import { colourOf, dashArray } from './identities'

/** A piece of a chart's line, to stand before its name. */
export function LineKey({ at }: { at: number }) {
  return (
    <svg width="22" height="8" aria-hidden="true" className="shrink-0">
      <line
        x1="0"
        y1="4"
        x2="22"
        y2="4"
        stroke={colourOf(at)}
        strokeWidth="2"
        strokeDasharray={dashArray(at)}
      />
    </svg>
  )
}

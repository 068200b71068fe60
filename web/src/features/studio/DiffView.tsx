import { diffRows, type StrategyDiff } from './diff'

/** What one strategy changes of another, line by line. */
export function DiffView({ diff }: { diff: StrategyDiff }) {
  const rows = diffRows(diff)
  if (rows.length === 0) return <p className="text-sm text-muted">They are the same.</p>
  return (
    <ul data-testid="diff" className="max-h-72 overflow-y-auto border border-line">
      {rows.map((row) => (
        <li key={`${row.sign}${row.text}`} className="border-b border-line px-2 py-1 text-sm last:border-b-0">
          <span className="figure break-all">
            <span aria-hidden="true" className="mr-2 text-accent">
              {row.sign}
            </span>
            {row.text}
          </span>
          {row.after !== undefined && (
            <span className="figure block text-xs break-all text-muted">
              {row.before} → <span className="text-text">{row.after}</span>
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

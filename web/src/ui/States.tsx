import type { ReactNode } from 'react'
import { Button } from './Button'

/** Nothing here yet, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-2 py-6 text-muted">
      <p className="font-medium text-text">{title}</p>
      {children}
    </div>
  )
}

/** Something could not be loaded: what, why, and a way to try again. */
export function Failure({ what, error, onRetry }: { what: string; error: Error; onRetry?: () => void }) {
  return (
    <div className="my-3 flex flex-wrap items-center gap-3 border-l-2 border-warn py-2 pl-3">
      <p className="min-w-0 flex-1">
        <span className="font-medium">Could not load {what}.</span>{' '}
        <span className="text-muted">{error.message}</span>
      </p>
      {onRetry && (
        <Button size="small" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
}

/** Room for what is being loaded, so that nothing jumps when it comes. */
export function Loading({ rows = 3, label = 'Loading' }: { rows?: number; label?: string }) {
  return (
    <div aria-busy="true" className="py-1">
      <span className="sr-only">{label}</span>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are identical and never reordered
        <div key={row} className="h-8 border-b border-line">
          <div className="h-3 translate-y-2.5 bg-raised" style={{ width: `${70 - (row % 3) * 15}%` }} />
        </div>
      ))}
    </div>
  )
}

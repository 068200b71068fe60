import type { ReactNode } from 'react'

interface Props {
  title: string
  aside?: ReactNode
  children: ReactNode
  className?: string
}

/** A titled part of a page between two rules. */
export function Panel({ title, aside, children, className = '' }: Props) {
  return (
    <section className={`border-t border-line pt-3 ${className}`} aria-label={title}>
      <div className="mb-2 flex min-h-7 flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <h2 className="text-sm font-semibold tracking-wide text-muted">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}

/** A label and its figure on one ruled line. */
export function Row({ label, children, testId }: { label: ReactNode; children: ReactNode; testId?: string }) {
  return (
    <div className="flex min-h-8 items-center justify-between gap-4 border-b border-line">
      <span className="text-muted">{label}</span>
      <span className="figure text-right text-sm" data-testid={testId}>
        {children}
      </span>
    </div>
  )
}

/** A table that scrolls by itself on a narrow screen and can be reached by keyboard. */
export function TableScroll({ label, children }: { label: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable without a mouse
    <section aria-label={label} tabIndex={0} className="relative overflow-x-auto">
      {children}
    </section>
  )
}

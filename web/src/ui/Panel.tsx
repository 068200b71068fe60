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

/** Figures side by side, each below its label; as many in a row as there is room for. */
export function Cells({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-[repeat(auto-fit,minmax(96px,1fr))] gap-x-4 gap-y-2">{children}</dl>
}

export function Cell({ label, children, testId }: { label: string; children: ReactNode; testId?: string }) {
  return (
    <div>
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="figure flex min-h-6 items-center text-sm" data-testid={testId}>
        {children}
      </dd>
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

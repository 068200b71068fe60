import { MISSING } from '@/lib/format'
import type { Freshness } from '@/lib/freshness'
import { formatAge } from '@/lib/time'

const TONES: Record<Freshness['state'], string> = {
  live: 'text-muted',
  delayed: 'text-warn',
  stale: 'text-warn hatched',
}

interface Props {
  label: string
  kind: string | undefined
  freshness: Freshness
}

/** Which feed the prices come from and how old the newest one is. A feed that is not the market says so. */
export function FeedBadge({ label, kind, freshness }: Props) {
  const age = freshness.ageMs === undefined ? MISSING : formatAge(freshness.ageMs)
  return (
    <span
      data-testid="feed-badge"
      data-feed={kind}
      data-state={freshness.state}
      title={freshness.reason ?? 'Price feed and age of the newest price'}
      className={`figure inline-flex h-7 items-center gap-2 border border-line px-2 text-xs ${TONES[freshness.state]}`}
    >
      <span className={kind === 'live' ? 'text-text' : 'text-accent'}>{label}</span>
      <span className="min-w-[5ch] text-right">{age}</span>
    </span>
  )
}

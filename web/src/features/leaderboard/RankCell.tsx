import { type RankChange, rankChange } from '@/lib/board'
import { grouped } from '@/lib/format'

const SHOWN: Record<RankChange['kind'], string> = { up: '▲', down: '▼', same: '·', new: 'new', unknown: '' }

/** A rank, and how far it is from the one it is compared with. Neutral in colour: colour means profit. */
export function RankCell({
  rank,
  before,
  comparedMs,
}: {
  rank: number
  before: number | null
  comparedMs: number | null
}) {
  const { kind, places } = rankChange(rank, before, comparedMs)
  return (
    <>
      <span className="mr-2 font-sans text-xs text-muted" data-testid="rank-change" data-change={kind}>
        <span aria-hidden="true">
          {SHOWN[kind]}
          {places > 0 && grouped(places)}
        </span>
        <span className="sr-only">{spoken(kind, places)}</span>
      </span>
      {grouped(rank)}
    </>
  )
}

function spoken(kind: RankChange['kind'], places: number): string {
  if (kind === 'up' || kind === 'down') return `${kind} ${places}, now `
  return kind === 'new' ? 'new, ' : kind === 'same' ? 'unchanged, ' : ''
}

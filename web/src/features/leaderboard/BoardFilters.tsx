import type { BoardAsked } from '@/lib/board'
import { ROWS } from '@/lib/board'
import { Segmented } from '@/ui/Segmented'

interface Props {
  asked: BoardAsked
  onAsk: (changed: Partial<BoardAsked>) => void
}

/** Whose accounts, since when, by what, and how many rows: all of it is in the URL. */
export function BoardFilters({ asked, onAsk }: Props) {
  return (
    <div className="flex flex-wrap gap-2 pb-3" data-testid="board-filters">
      <Segmented
        label="Traders"
        size="small"
        value={asked.traders}
        onChange={(traders) => onAsk({ traders })}
        options={[
          { value: 'all', label: 'All', testId: 'traders-all' },
          { value: 'people', label: 'People', testId: 'traders-people' },
          { value: 'clones', label: 'Clones', testId: 'traders-clones' },
        ]}
      />
      <Segmented
        label="Since"
        size="small"
        value={asked.window}
        onChange={(window) => onAsk({ window })}
        options={[
          { value: 'today', label: 'Today', testId: 'window-today' },
          { value: '7d', label: '7 days', testId: 'window-7d' },
          { value: '30d', label: '30 days', testId: 'window-30d' },
          { value: 'cycle', label: 'Whole cycle', testId: 'window-cycle' },
        ]}
      />
      <Segmented
        label="Ranked by"
        size="small"
        value={asked.metric}
        onChange={(metric) => onAsk({ metric })}
        options={[
          { value: 'return', label: 'Return', testId: 'metric-return' },
          { value: 'drawdown', label: 'Drawdown', testId: 'metric-drawdown' },
        ]}
      />
      <Segmented
        label="Rows"
        size="small"
        value={String(asked.limit) as (typeof ROWS)[number]}
        onChange={(rows) => onAsk({ limit: Number(rows) })}
        options={ROWS.map((value) => ({ value, label: value }))}
      />
    </div>
  )
}

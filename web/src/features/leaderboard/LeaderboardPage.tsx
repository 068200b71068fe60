import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { leaderboardQuery, useMe } from '@/api/queries'
import type { LeaderboardRow, Me } from '@/api/types'
import { formatUsd } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { formatDateTime } from '@/lib/time'
import { Dimmed } from '@/live/Dimmed'
import { Button } from '@/ui/Button'
import { Change } from '@/ui/Figure'
import { TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Segmented } from '@/ui/Segmented'
import { Empty, Failure, Loading } from '@/ui/States'
import { isThin, THIN_FILLS } from './sample'

const LIMITS = ['50', '100', '200'] as const

export function LeaderboardPage() {
  const { limit = 50 } = useSearch({ from: '/leaderboard' })
  const navigate = useNavigate({ from: '/leaderboard' })
  const board = useQuery(leaderboardQuery(limit))
  const me = useMe()
  const zone = useZone()
  const rows = board.data?.items ?? []
  const mine = rows.find((row) => row.mine)
  const jump = () => {
    const row = document.querySelector<HTMLElement>('[data-mine="true"]')
    row?.scrollIntoView({ block: 'center' })
    row?.focus()
  }
  return (
    <>
      <div className="flex flex-wrap items-center justify-between gap-3 py-4">
        <div>
          <h1 className="text-xl font-semibold">Practice leaderboard</h1>
          <p className="text-sm text-muted">
            Ranked by what each account would have made in its cycle if everything were closed now.
            {board.data && ` As of ${formatDateTime(board.data.as_of_ms, zone)}.`}
          </p>
        </div>
        <div className="flex flex-wrap items-center gap-2">
          {board.data && !mine && (
            <span id="not-here" className="text-xs text-muted" data-testid="not-on-board">
              {whyNotHere(me.data, rows.length, limit)}
            </span>
          )}
          <Button
            size="small"
            aria-describedby="not-here"
            disabled={!mine}
            onClick={jump}
            data-testid="jump-to-me"
          >
            {mine ? `Jump to me (#${mine.rank})` : 'Jump to me'}
          </Button>
          <Segmented
            label="Rows"
            size="small"
            value={String(limit) as (typeof LIMITS)[number]}
            onChange={(next) => void navigate({ search: { limit: Number(next) } })}
            options={LIMITS.map((value) => ({ value, label: value }))}
          />
        </div>
      </div>
      {board.isPending && <Loading rows={10} label="Loading the leaderboard" />}
      {board.error && !board.data && (
        <Failure what="the leaderboard" error={board.error} onRetry={() => void board.refetch()} />
      )}
      {board.data && rows.length === 0 && (
        <Empty title="Nobody has traded yet.">
          <p>The first practice account with a fill takes the first rank.</p>
        </Empty>
      )}
      {rows.length > 0 && (
        <Dimmed>
          <Board rows={rows} />
        </Dimmed>
      )}
      <p className="mt-4 max-w-prose text-sm text-muted">
        Beside each return is what needed no skill in the same time and under the same fees: holding SOL, and
        the median of 20 who tossed a coin every six hours. Few fills prove little: rows with fewer than{' '}
        {THIN_FILLS} fills are marked as a thin sample, because a rank won with them says more about luck than
        skill. Practice never counts for contests.
      </p>
    </>
  )
}

/** Why the person cannot be found among the rows. */
function whyNotHere(me: Me | null | undefined, rows: number, limit: number): string {
  if (me === null) return 'Sign in to find yourself.'
  if (rows < limit) return 'You are here soon after your first fill.'
  return `You are not among the first ${limit}.`
}

const COLUMNS = [
  'Return if closed',
  'Holding SOL',
  'Coin toss',
  'Equity',
  'Largest drawdown',
  'Fills',
  'Marks',
]

function Board({ rows }: { rows: readonly LeaderboardRow[] }) {
  return (
    <TableScroll label="Practice leaderboard">
      <table className="ruled" data-testid="leaderboard-table">
        <thead>
          <tr>
            <th scope="col" data-figure>
              Rank
            </th>
            <th scope="col">Trader</th>
            {COLUMNS.map((name) => (
              <th key={name} scope="col" data-figure>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <BoardRow key={row.account_id} row={row} />
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

function BoardRow({ row }: { row: LeaderboardRow }) {
  return (
    <tr
      data-mine={row.mine}
      data-testid="leaderboard-row"
      tabIndex={row.mine ? -1 : undefined}
      className={row.mine ? 'bg-raised outline-offset-[-2px]' : ''}
    >
      <td data-figure>{row.rank}</td>
      <td>
        <span className="font-medium">{row.display_name}</span>
        {row.mine && <span className="ml-2 border border-accent px-1 text-xs text-accent">you</span>}
      </td>
      <td data-figure>
        <Change ppm={row.return_ppm} />
      </td>
      <td data-figure data-testid="held-return">
        <Change ppm={row.held_return_ppm} />
      </td>
      <td data-figure>
        <Change ppm={row.random_return_ppm} />
      </td>
      <td data-figure>{formatUsd(parseMicros(row.equity))}</td>
      <td data-figure>{(row.max_drawdown_ppm / 10_000).toFixed(2)}%</td>
      <td data-figure>
        {isThin(row.fills) && <span className="mr-2 font-sans text-xs text-warn">thin sample</span>}
        {row.fills}
      </td>
      <td data-figure>{row.marks}</td>
    </tr>
  )
}

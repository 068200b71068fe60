import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { leaderboardQuery } from '@/api/boards'
import type { Leaderboard } from '@/api/types'
import { absenceText, type BoardAsked, boardSearch, boardText, USUAL } from '@/lib/board'
import { grouped } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Dimmed } from '@/live/Dimmed'
import { Button } from '@/ui/Button'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { Board } from './Board'
import { BoardFilters } from './BoardFilters'
import { THIN_FILLS } from './sample'

export function LeaderboardPage() {
  const search = useSearch({ from: '/leaderboard' })
  const navigate = useNavigate({ from: '/leaderboard' })
  const asked: BoardAsked = { ...USUAL, ...search }
  const query = useQuery(leaderboardQuery(asked))
  const zone = useZone()
  const board = query.data
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-3 py-4">
        <div className="max-w-prose">
          <h1 className="text-xl font-semibold">Practice leaderboard</h1>
          <p className="text-sm text-muted" data-testid="board-text">
            {board
              ? `${boardText(board)} As of ${formatDateTime(board.as_of_ms, zone)}.`
              : 'People’s practice accounts and the accounts that clones trade.'}
          </p>
        </div>
        {board && <JumpToMe board={board} />}
      </div>
      <BoardFilters
        asked={asked}
        onAsk={(changed) => void navigate({ search: boardSearch({ ...asked, ...changed }), replace: true })}
      />
      {query.isPending && <Loading rows={10} label="Loading the leaderboard" />}
      {query.error && !board && (
        <Failure what="the leaderboard" error={query.error} onRetry={() => void query.refetch()} />
      )}
      {board && board.items.length === 0 && <Nobody asked={asked} />}
      {board && board.items.length > 0 && (
        <Dimmed>
          <Board board={board} />
        </Dimmed>
      )}
      <Notes isCompared={board?.compared_ms !== null} />
    </>
  )
}

/** To one's best row, wherever it is; else why there is none. */
function JumpToMe({ board }: { board: Leaderboard }) {
  const absent = absenceText(board)
  const jump = () => {
    const row = document.querySelector<HTMLElement>('[data-me="true"]')
    row?.scrollIntoView({ block: 'center' })
    row?.focus({ preventScroll: true })
  }
  return (
    <div className="flex flex-wrap items-center gap-2">
      {absent && (
        <span id="not-here" className="text-xs text-muted" data-testid="not-on-board">
          {absent}
        </span>
      )}
      <Button
        size="small"
        aria-describedby={absent && 'not-here'}
        disabled={board.me === null}
        onClick={jump}
        data-testid="jump-to-me"
      >
        {board.me ? `Jump to me (#${grouped(board.me.rank)})` : 'Jump to me'}
      </Button>
    </div>
  )
}

function Nobody({ asked }: { asked: BoardAsked }) {
  const who = asked.traders === 'clones' ? 'No clone' : 'Nobody'
  if (asked.window !== 'cycle')
    return (
      <Empty title={`${who} has traded or held anything since then.`}>
        <p>Choose a longer time to see who did.</p>
      </Empty>
    )
  return (
    <Empty title={`${who} has traded yet.`}>
      <p>The first account with a fill takes the first rank.</p>
    </Empty>
  )
}

function Notes({ isCompared }: { isCompared: boolean }) {
  return (
    <div className="mt-4 max-w-prose space-y-2 text-sm text-muted">
      <p>
        {isCompared
          ? 'Arrows beside ranks compare with 00:00 UTC today, among the accounts that are here now; “new” had not filled by then.'
          : 'Today begins at 00:00 UTC with everybody at zero, so there is no earlier rank to compare with.'}{' '}
        Windows begin at 00:00 UTC with what an account was worth then, or with its cycle where that began
        later; drawdown, fills and marks are of its whole cycle.
      </p>
      <p>
        Beside each return is what needed no skill in the same time and under the same fees: holding SOL, and
        the median of 20 who tossed a coin every six hours. Few fills prove little: rows with fewer than{' '}
        {THIN_FILLS} fills are marked as a thin sample, because a rank won with them says more about luck than
        skill. Practice never counts for contests.
      </p>
    </div>
  )
}

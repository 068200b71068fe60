import type { Leaderboard, LeaderboardRow } from '@/api/types'
import { formatUsd } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { Change } from '@/ui/Figure'
import { TableScroll } from '@/ui/Panel'
import { TraderName } from '@/ui/TraderName'
import { RankCell } from './RankCell'
import { isThin } from './sample'

const COLUMNS = [
  'Return if closed',
  'Holding SOL',
  'Coin toss',
  'Equity',
  'Largest drawdown',
  'Fills',
  'Marks',
]

/** The first rows, and one's own with its neighbours where it is further down. */
export function Board({ board }: { board: Leaderboard }) {
  const rows = (of: readonly LeaderboardRow[]) =>
    of.map((row) => <BoardRow key={row.account_id ?? row.clone?.clone_id} row={row} board={board} />)
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
        <tbody>{rows(board.items)}</tbody>
        {board.around.length > 0 && (
          <tbody data-testid="around-me">
            <tr>
              <th scope="colgroup" colSpan={COLUMNS.length + 2} className="text-left text-xs text-muted">
                Around you
              </th>
            </tr>
            {rows(board.around)}
          </tbody>
        )}
      </table>
    </TableScroll>
  )
}

function BoardRow({ row, board }: { row: LeaderboardRow; board: Leaderboard }) {
  const isMe = board.me !== null && row.mine && row.rank === board.me.rank
  return (
    <tr
      data-mine={row.mine}
      data-me={isMe}
      data-trader={row.trader}
      data-testid="leaderboard-row"
      tabIndex={isMe ? -1 : undefined}
      className={row.mine ? 'bg-raised outline-offset-[-2px]' : ''}
    >
      <td data-figure className="whitespace-nowrap">
        <RankCell rank={row.rank} before={row.rank_before} comparedMs={board.compared_ms} />
      </td>
      <td>
        <TraderName trader={row} />
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

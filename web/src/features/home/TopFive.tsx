import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { leaderboardQuery } from '@/api/boards'
import { USUAL } from '@/lib/board'
import { Dimmed } from '@/live/Dimmed'
import { Change } from '@/ui/Figure'
import { Panel } from '@/ui/Panel'
import { Failure, Loading } from '@/ui/States'
import { TraderName } from '@/ui/TraderName'

const TOP = 5

/** The first of the leaderboard as it is without a choice, people and clones. */
export function TopFive() {
  const board = useQuery(leaderboardQuery(USUAL))
  const rows = board.data?.items.slice(0, TOP) ?? []
  const all = (
    <Link to="/leaderboard" className="link text-sm text-muted hover:text-text">
      Whole leaderboard
    </Link>
  )
  return (
    <Panel title="Top of the practice leaderboard" aside={all}>
      {board.isPending && <Loading rows={TOP} label="Loading the leaderboard" />}
      {board.error && !board.data && (
        <Failure what="the leaderboard" error={board.error} onRetry={() => void board.refetch()} />
      )}
      {board.data && rows.length === 0 && (
        <p className="py-3 text-muted">Nobody has traded yet: the first fill takes the first rank.</p>
      )}
      {rows.length > 0 && (
        <Dimmed>
          <table className="ruled table-fixed" data-testid="top-five">
            <thead>
              <tr>
                <th scope="col">Trader</th>
                <th scope="col" data-figure className="w-24">
                  Return
                </th>
                <th scope="col" data-figure className="w-16">
                  Fills
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.account_id ?? row.clone?.clone_id} data-trader={row.trader}>
                  <td>
                    <div className="flex items-center">
                      <span className="figure mr-3 text-muted">{row.rank}</span>
                      <TraderName trader={row} />
                    </div>
                  </td>
                  <td data-figure>
                    <Change ppm={row.return_ppm} />
                  </td>
                  <td data-figure>{row.fills}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Dimmed>
      )}
    </Panel>
  )
}

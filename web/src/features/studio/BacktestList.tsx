import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { type Backtest, backtestsQuery, isOver } from '@/api/backtests'
import { useFollowed } from '@/live/subjects'
import { LINES_MAX } from '@/ui/charts/identities'
import { TableScroll } from '@/ui/Panel'
import { Failure } from '@/ui/States'
import { BacktestResultView } from './BacktestResultView'
import { BacktestRow } from './BacktestRow'
import { CompareView } from './CompareView'
import { chosenOf, whyNot } from './compare'

const POLL_MS = 1_000
const COLUMNS = ['Strategy', 'Tape', 'Span', 'Return', 'Drawdown', 'Fills', 'Fees'] as const

/** Every backtest of mine, with its progress; one of them is open, or several stand side by side. */
export function BacktestList() {
  const list = useBacktests()
  const [open, setOpen] = useState<string>()
  const [ids, setIds] = useState<readonly string[]>([])
  if (list.error && !list.data) {
    return <Failure what="backtests" error={list.error} onRetry={() => void list.refetch()} />
  }
  const all = list.data ?? []
  if (all.length === 0) return null
  const chosen = chosenOf(all, ids)
  const shown = all.find((one) => one.backtest_id === open) ?? all.find((one) => one.state === 'done')
  const choose = ({ backtest_id: id }: Backtest, on: boolean) =>
    setIds(on ? [...ids, id] : ids.filter((one) => one !== id))
  return (
    <div className="mt-4 space-y-4">
      <TableScroll label="Backtests">
        <table className="ruled" data-testid="backtests">
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">Compare</span>
              </th>
              {COLUMNS.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
              <th scope="col">
                <span className="sr-only">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <BacktestRow
                key={one.backtest_id}
                backtest={one}
                isOpen={chosen.length < 2 && one === shown}
                isChosen={chosen.includes(one)}
                whyNot={whyNot(one, chosen, LINES_MAX)}
                onOpen={() => {
                  setIds([])
                  setOpen(one.backtest_id)
                }}
                onChoose={(on) => choose(one, on)}
              />
            ))}
          </tbody>
        </table>
      </TableScroll>
      {chosen.length === 1 && (
        <p className="text-sm text-muted">Tick another one of the same minutes to see both side by side.</p>
      )}
      {chosen.length > 1 && <CompareView ids={chosen.map((one) => one.backtest_id)} />}
      {chosen.length < 2 && shown?.state === 'done' && (
        <BacktestResultView key={shown.backtest_id} id={shown.backtest_id} />
      )}
    </div>
  )
}

/** Mine, newest first. Those under way are followed over the socket; what it does not tell is asked for. */
function useBacktests() {
  const list = useQuery({ ...backtestsQuery, refetchInterval: false })
  const underWay = (list.data ?? []).filter((one) => !isOver(one.state)).map((one) => one.backtest_id)
  const told = useFollowed('backtest', underWay)
  useQuery({ ...backtestsQuery, refetchInterval: underWay.length > told.size ? POLL_MS : false })
  return list
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { formatPrice, formatScaled } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Change } from '@/ui/Figure'
import { TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Failure } from '@/ui/States'
import { BacktestResultView } from './BacktestResultView'
import { type Backtest, backtestsQuery, cancelBacktest, isOver } from './backtests'

const COLUMNS = ['Strategy', 'Tape', 'Span', 'Return', 'Drawdown', 'Fills', 'Fees', '']

/** Every backtest of mine, with its progress; finished ones of one tape and span stand side by side. */
export function BacktestList() {
  const list = useQuery(backtestsQuery)
  const [open, setOpen] = useState<string>()
  if (list.error && !list.data) {
    return <Failure what="backtests" error={list.error} onRetry={() => void list.refetch()} />
  }
  const all = list.data ?? []
  if (all.length === 0) return null
  const newest = all.find((one) => one.state === 'done')?.backtest_id
  const shown = open ?? newest
  return (
    <div className="mt-4 space-y-4">
      <TableScroll label="Backtests">
        <table className="ruled" data-testid="backtests">
          <thead>
            <tr>
              {COLUMNS.map((name) => (
                <th key={name} scope="col">
                  {name || <span className="sr-only">Action</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <Row
                key={one.backtest_id}
                backtest={one}
                open={one.backtest_id === shown}
                onOpen={() => setOpen(one.backtest_id)}
              />
            ))}
          </tbody>
        </table>
      </TableScroll>
      {shown !== undefined && all.some((one) => one.backtest_id === shown && one.state === 'done') && (
        <BacktestResultView key={shown} id={shown} others={comparable(all, shown)} />
      )}
    </div>
  )
}

/** Those that played the same minutes. */
function comparable(all: readonly Backtest[], id: string): Backtest[] {
  const shown = all.find((one) => one.backtest_id === id)
  return all.filter(
    (one) =>
      one.state === 'done' &&
      one.backtest_id !== id &&
      one.tape === shown?.tape &&
      one.from_ms === shown.from_ms &&
      one.to_ms === shown.to_ms,
  )
}

interface RowProps {
  backtest: Backtest
  open: boolean
  onOpen: () => void
}

function Row({ backtest, open, onOpen }: RowProps) {
  const zone = useZone()
  const { summary } = backtest
  const span = `${formatDateTime(backtest.from_ms, zone).slice(0, 16)} – ${formatDateTime(backtest.to_ms, zone).slice(0, 16)}`
  return (
    <tr
      data-testid="backtest-row"
      data-state={backtest.state}
      aria-current={open ? 'true' : undefined}
      className={open ? 'bg-raised' : ''}
    >
      <td className="font-medium">{backtest.name}</td>
      <td className="text-sm">
        {backtest.tape} <span className="text-xs text-muted">{backtest.feed.toUpperCase()}</span>
      </td>
      <td className="figure text-xs">{span}</td>
      {summary ? (
        <>
          <td>
            <Change ppm={summary.return_ppm} />
          </td>
          <td className="figure text-sm">{percent(summary.max_drawdown_ppm)}</td>
          <td className="figure text-sm">{summary.fills}</td>
          <td className="figure text-sm">{formatPrice(summary.fees, 2)}</td>
        </>
      ) : (
        <td colSpan={4}>
          <Progress backtest={backtest} />
        </td>
      )}
      <td className="text-right">
        <RowAction backtest={backtest} onOpen={onOpen} />
      </td>
    </tr>
  )
}

function Progress({ backtest }: { backtest: Backtest }) {
  const { state, minutes_done, minutes } = backtest
  if (state === 'failed') return <span className="text-sm text-warn">{backtest.detail ?? backtest.code}</span>
  if (state === 'cancelled') return <span className="text-sm text-muted">cancelled</span>
  const share = minutes > 0 ? Math.floor((minutes_done * 100) / minutes) : 0
  return (
    <span className="flex items-center gap-2">
      <progress
        className="h-1.5 w-32 accent-(--accent)"
        aria-label={`Progress of ${backtest.name}`}
        max={minutes}
        value={minutes_done}
      />
      <span className="figure text-xs text-muted">{state === 'waiting' ? 'waiting' : `${share}%`}</span>
    </span>
  )
}

function RowAction({ backtest, onOpen }: { backtest: Backtest; onOpen: () => void }) {
  const client = useQueryClient()
  const cancel = useMutation({
    mutationFn: () => cancelBacktest(backtest.backtest_id),
    onSuccess: () => client.invalidateQueries(backtestsQuery),
  })
  if (backtest.state === 'done') {
    return (
      <Button size="small" data-testid="open-backtest" onClick={onOpen}>
        Open
      </Button>
    )
  }
  if (isOver(backtest.state)) return null
  return (
    <Button size="small" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
      Cancel
    </Button>
  )
}

const percent = (ppm: number | null) => (ppm === null ? '–' : `${formatScaled(BigInt(ppm), 4, 2)}%`)

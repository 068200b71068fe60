import { useMutation } from '@tanstack/react-query'
import { type Backtest, backtestsQuery, isOver } from '@/api/backtests'
import { queryClient } from '@/api/queries'
import { codeText } from '@/lib/decisions'
import { formatPrice, formatScaled, MISSING } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Change } from '@/ui/Figure'
import { useZone } from '@/ui/preferences'
import { cancelBacktest } from './backtests'

interface Props {
  backtest: Backtest
  isOpen: boolean
  isChosen: boolean
  /** Why it cannot be compared with those that are chosen. */
  whyNot: string | undefined
  onOpen: () => void
  onChoose: (on: boolean) => void
}

export function BacktestRow({ backtest, isOpen, isChosen, whyNot, onOpen, onChoose }: Props) {
  const zone = useZone()
  const { summary } = backtest
  const day = (ms: number) => formatDateTime(ms, zone).slice(0, 16)
  return (
    <tr
      data-testid="backtest-row"
      data-state={backtest.state}
      aria-current={isOpen ? 'true' : undefined}
      className={isOpen || isChosen ? 'bg-raised' : ''}
    >
      <td className="w-8">
        <label className="flex size-7 items-center justify-center" title={whyNot ?? 'Compare'}>
          <input
            type="checkbox"
            className="size-4 accent-(--accent)"
            aria-label={`Compare ${backtest.name}`}
            data-testid="compare"
            disabled={whyNot !== undefined}
            checked={isChosen}
            onChange={(event) => onChoose(event.target.checked)}
          />
        </label>
      </td>
      <td className="font-medium">{backtest.name}</td>
      <td className="text-sm">
        {backtest.tape} <span className="text-xs text-muted">{backtest.feed.toUpperCase()}</span>
      </td>
      <td className="figure text-xs">
        {day(backtest.from_ms)} – {day(backtest.to_ms)}
      </td>
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
        <Action backtest={backtest} onOpen={onOpen} />
      </td>
    </tr>
  )
}

function Progress({ backtest }: { backtest: Backtest }) {
  const { state, minutes_done, minutes, code } = backtest
  if (state === 'failed') {
    return (
      <span className="text-sm text-warn">{backtest.detail ?? (code && codeText(code)) ?? 'failed'}</span>
    )
  }
  if (state === 'cancelled') return <span className="text-sm text-muted">cancelled</span>
  const share = minutes > 0 ? Math.floor((minutes_done * 100) / minutes) : 0
  return (
    <span className="flex items-center gap-2">
      <progress
        className="bar w-32"
        aria-label={`Progress of ${backtest.name}`}
        max={minutes}
        value={minutes_done}
      />
      <span className="figure text-xs text-muted">{state === 'waiting' ? 'waiting' : `${share}%`}</span>
    </span>
  )
}

function Action({ backtest, onOpen }: { backtest: Backtest; onOpen: () => void }) {
  const cancel = useMutation({
    mutationFn: () => cancelBacktest(backtest.backtest_id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: backtestsQuery.queryKey }),
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
    <Button
      size="small"
      data-testid="cancel-backtest"
      disabled={cancel.isPending}
      onClick={() => cancel.mutate()}
    >
      Cancel
    </Button>
  )
}

const percent = (ppm: number | null) => (ppm === null ? MISSING : `${formatScaled(BigInt(ppm), 4, 2)}%`)

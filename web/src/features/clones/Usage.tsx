import { useQuery } from '@tanstack/react-query'
import { type CloneUsage, usageQuery } from '@/api/clones'
import { formatPrice, formatWire, grouped } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { Panel } from '@/ui/Panel'
import { Failure } from '@/ui/States'
import { costText } from './costs'

const POLL_MS = 60_000

/** What its thinking took today, for its owner: nobody else is told. Nothing where no model was asked. */
export function Usage({ cloneId, isLive }: { cloneId: string; isLive: boolean }) {
  const usage = useQuery({ ...usageQuery(cloneId), refetchInterval: isLive ? false : POLL_MS })
  if (!usage.error && !usage.data?.models.length) return null
  return (
    <Panel title="Models today" aside={<span className="text-xs text-muted">only you see this</span>}>
      {usage.data ? (
        <Spent usage={usage.data} />
      ) : (
        usage.error && (
          <Failure what="what models took" error={usage.error} onRetry={() => void usage.refetch()} />
        )
      )}
    </Panel>
  )
}

function Spent({ usage }: { usage: CloneUsage }) {
  return (
    <div data-testid="usage" className="space-y-2 text-sm">
      {usage.models.map((one) => (
        <div key={one.model} data-testid="usage-model" className="border-b border-line pb-2">
          <p className="flex justify-between gap-3">
            <span className="min-w-0 font-medium break-all">{one.model}</span>
            <span className="figure shrink-0">{costText(one)}</span>
          </p>
          <p className="text-xs text-muted">
            {grouped(one.calls)} {one.calls === 1 ? 'call' : 'calls'}
            {one.failures > 0 && <span className="text-warn">, {grouped(one.failures)} failed</span>} ·{' '}
            {grouped(one.tokens_in)} tokens in, {grouped(one.tokens_out)} out
            {one.latency_p50_ms !== null && ` · ${(one.latency_p50_ms / 1_000).toFixed(1)} s median`}
          </p>
          {one.unpriced_calls > 0 && (
            <p className="text-xs text-warn" data-testid="usage-unknown">
              The price of{' '}
              {one.unpriced_calls === one.calls ? 'these calls' : `${grouped(one.unpriced_calls)} of them`} is
              not known here.
            </p>
          )}
        </div>
      ))}
      <Budget usage={usage} />
    </div>
  )
}

/** Reserved before each call, so that it cannot be overdrawn. */
function Budget({ usage }: { usage: CloneUsage }) {
  if (usage.budget === null)
    return <p className="text-xs text-muted">There is no limit on what it may spend.</p>
  const [spent, budget] = [parseMicros(usage.spent), parseMicros(usage.budget)]
  const percent = budget > 0n ? Math.min(100, Number((spent * 100n) / budget)) : 100
  return (
    <div>
      <p className="flex justify-between text-xs text-muted">
        <span>
          Spent or reserved <span className="figure text-text">{formatWire(usage.spent, 2)}</span> USD
        </span>
        <span>
          of <span className="figure text-text">{formatPrice(usage.budget, 2)}</span>
        </span>
      </p>
      <div aria-hidden="true" className="mt-1 h-1.5 border border-input">
        <div className="h-full bg-accent" style={{ width: `${percent}%` }} />
      </div>
    </div>
  )
}

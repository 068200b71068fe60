import type { ReactNode } from 'react'
import type { OwnerRun } from '@/api/clones'
import { codeText, shareText, wantedText } from '@/lib/decisions'
import { formatWire } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { formatDateTime } from '@/lib/time'
import { Pnl } from '@/ui/Figure'
import { useZone } from '@/ui/preferences'
import { UsageLine } from '@/ui/UsageLine'
import type { Replay } from './api'
import { type Pair, pairsOf } from './replay'

/** Both decisions side by side, and what each would have made. */
export function ReplayView({ replay, run }: { replay: Replay; run: OwnerRun }) {
  const pairs = pairsOf(replay)
  return (
    <section
      aria-label="Both decisions"
      data-testid="replay-result"
      className="space-y-3 border-t border-line pt-4"
    >
      {replay.failure && <p className="text-sm text-warn">{codeText(replay.failure)}.</p>}
      {replay.unusable && (
        <p className="text-sm text-warn">
          The answer cannot be used: {codeText(replay.unusable.code)}. {replay.unusable.detail}
        </p>
      )}
      {replay.unreadable && (
        <p className="text-sm text-warn">
          Reasons and exits of the decision then cannot be opened: what it made cannot be told.
        </p>
      )}
      <div className="grid grid-cols-2 gap-x-6">
        <Heading>Then</Heading>
        <Heading>Again</Heading>
        {pairs.map((pair) => (
          <Both key={pair.market} pair={pair} run={run} />
        ))}
        {replay.counterfactual.map((one) => (
          <Outcome key={one.until_ms} outcome={one} />
        ))}
      </div>
      {replay.usage && <UsageLine usage={replay.usage} />}
    </section>
  )
}

const Heading = ({ children }: { children: ReactNode }) => (
  <h3 className="border-b border-input pb-1 text-xs font-medium text-muted">{children}</h3>
)

function Both({ pair: { recorded, replayed }, run }: { pair: Pair; run: OwnerRun }) {
  const then = run.decisions.find((one) => one.market === recorded?.market)
  return (
    <>
      <Side testId="replay-then">
        {recorded ? (
          <Wanted one={recorded} verdict={then?.code} />
        ) : (
          <p className="text-muted">Said nothing of it</p>
        )}
      </Side>
      <Side testId="replay-again">
        {replayed ? (
          <Wanted one={replayed} verdict={replayed.code} />
        ) : (
          <p className="text-muted">Says nothing of it</p>
        )}
      </Side>
    </>
  )
}

const Side = ({ children, testId }: { children: ReactNode; testId: string }) => (
  <div className="min-w-0 border-b border-line py-2" data-testid={testId}>
    {children}
  </div>
)

type Wanting = NonNullable<Pair['recorded']>

function Wanted({ one, verdict }: { one: Wanting; verdict: string | undefined }) {
  const extras = [
    one.stop_price && `stop ${formatWire(one.stop_price, 2)}`,
    one.target_price && `target ${formatWire(one.target_price, 2)}`,
    one.confidence && `confidence ${shareText(one.confidence)}`,
  ].filter(Boolean)
  return (
    <>
      <p className="font-medium break-words">{wantedText(one)}</p>
      {extras.length > 0 && <p className="figure text-xs text-muted">{extras.join(', ')}</p>}
      {one.reason && <p className="text-sm break-words text-muted">{one.reason}</p>}
      {verdict && <p className="text-xs text-muted">{codeText(verdict)}</p>}
    </>
  )
}

function Outcome({ outcome }: { outcome: Replay['counterfactual'][number] }) {
  const zone = useZone()
  const rows = [outcome.recorded_pnl, outcome.replayed_pnl] as const
  return (
    <>
      {rows.map((pnl, at) => (
        <div
          key={at === 0 ? 'then' : 'again'}
          className="py-2"
          data-testid={at === 0 ? 'pnl-then' : 'pnl-again'}
        >
          <p className="text-xs text-muted">
            {at === 0 ? 'Made' : 'Would have made'} until{' '}
            <span className="figure">{formatDateTime(outcome.until_ms, zone)}</span>
          </p>
          {pnl === null ? (
            <p className="text-muted">not known yet</p>
          ) : (
            <p className="text-lg">
              <Pnl micros={parseMicros(pnl)} /> <span className="text-xs text-muted">USD</span>
            </p>
          )}
        </div>
      ))}
    </>
  )
}

import type { ReactNode } from 'react'
import type { Account } from '@/api/types'
import { identityAt } from '@/lib/equity'
import { formatSignedUsd, formatUsd, MISSING, sharePpm } from '@/lib/format'
import { useMarks } from '@/live/prices'
import { Change, Figure } from '@/ui/Figure'
import { Panel } from '@/ui/Panel'

interface HeadlineProps {
  account: Account
  /** Undefined while it is not known, null before the first mark. */
  drawdownPpm: number | null | undefined
}

/** The four figures a person looks for first. */
export function Headline({ account, drawdownPpm }: HeadlineProps) {
  const identity = identityAt(account, useMarks())
  const gained =
    identity.equityMicros === undefined ? undefined : identity.equityMicros - identity.startMicros
  return (
    <div className="grid grid-cols-2 gap-x-6 gap-y-3 py-4 md:grid-cols-4">
      <Stat label="Equity">
        <Figure text={formatUsd(identity.equityMicros)} testId="equity" className="text-xl sm:text-2xl" />
      </Stat>
      <Stat label="Return since start">
        <Change
          className="text-xl sm:text-2xl"
          ppm={gained === undefined ? undefined : sharePpm(gained, identity.startMicros)}
        />
      </Stat>
      <Stat label="Cash">
        <span className="figure text-xl sm:text-2xl" data-testid="cash">
          {formatUsd(identity.cashMicros)}
        </span>
      </Stat>
      <Stat label="Largest drawdown">
        <span className="figure text-xl sm:text-2xl">
          {drawdownPpm == null ? MISSING : `${(drawdownPpm / 10_000).toFixed(2)}%`}
        </span>
      </Stat>
    </div>
  )
}

function Stat({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <p className="text-sm text-muted">{label}</p>
      {children}
    </div>
  )
}

/** The identity of the books, spelled out with its residual. */
export function IdentityLine({ account }: { account: Account }) {
  const identity = identityAt(account, useMarks())
  const terms = [
    ['Start', formatUsd(identity.startMicros, 6)],
    ['+ Realised', formatSignedUsd(identity.realisedMicros, 6)],
    ['+ Unrealised', formatSignedUsd(identity.unrealisedMicros, 6)],
    ...(identity.fundingMicros === 0n
      ? []
      : [['+ Funding', formatSignedUsd(identity.fundingMicros, 6)] as const]),
    ['− Fees', formatUsd(identity.feesMicros, 6)],
    ['= Equity', formatUsd(identity.equityMicros, 6)],
  ]
  const residual = identity.residualMicros
  return (
    <Panel title="The books close">
      <dl className="text-sm" data-testid="identity">
        {terms.map(([label, value], at) => (
          <div
            key={label}
            className={`flex h-8 items-center justify-between border-b ${at === terms.length - 2 ? 'border-input' : 'border-line'} ${at === terms.length - 1 ? 'font-medium' : ''}`}
          >
            <dt className={at === terms.length - 1 ? '' : 'text-muted'}>{label}</dt>
            <dd className="figure">{value}</dd>
          </div>
        ))}
        <div className="flex h-8 items-center justify-between">
          <dt className="text-muted">Residual, always 0</dt>
          <dd
            className={`figure ${residual === 0n || residual === undefined ? '' : 'text-warn'}`}
            data-testid="residual"
          >
            {formatUsd(residual, 6)}
          </dd>
        </div>
      </dl>
    </Panel>
  )
}

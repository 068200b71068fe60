import { useQuery } from '@tanstack/react-query'
import { ruleSetsQuery } from '@/api/queries'
import type { Account } from '@/api/types'
import { identityAt } from '@/lib/equity'
import { formatUsd } from '@/lib/format'
import { useMarks } from '@/live/prices'
import { Figure, Pnl } from '@/ui/Figure'
import { Panel, Row } from '@/ui/Panel'
import { AccountSwitch } from './AccountSwitch'
import { statusWords } from './reasons'
import { wayTitle } from './ruleSets'

/** What the account is worth now, and by which rules it trades. */
export function AccountPanel({ account }: { account: Account }) {
  const identity = identityAt(account, useMarks())
  const ruleSets = useQuery(ruleSetsQuery).data
  const fills = wayTitle(ruleSets?.find((one) => one.name === account.rule_set))
  const eligible = account.contest_eligible ? 'contest conditions' : 'not eligible for contests'
  return (
    <Panel
      title="Practice account"
      aside={<span className="text-xs text-muted">virtual USD, {eligible}</span>}
    >
      <Row label="Equity">
        <Figure text={formatUsd(identity.equityMicros)} testId="equity" className="text-lg font-medium" />
      </Row>
      <Row label="Cash" testId="cash">
        {formatUsd(identity.cashMicros)}
      </Row>
      {identity.heldMicros !== 0n && (
        <Row label="Held for open orders" testId="held">
          {formatUsd(identity.heldMicros)}
        </Row>
      )}
      {identity.marginMicros !== 0n && (
        <Row label="Margin of perpetuals" testId="margin">
          {formatUsd(identity.marginMicros)}
        </Row>
      )}
      <Row label="Unrealised">
        <Pnl micros={identity.unrealisedMicros} />
      </Row>
      <Row label="Realised">
        <Pnl micros={identity.realisedMicros} />
      </Row>
      {identity.fundingMicros !== 0n && (
        <Row label="Funding">
          <Pnl micros={identity.fundingMicros} />
        </Row>
      )}
      <Row label="Fees paid">{formatUsd(identity.feesMicros)}</Row>
      <Row label="Orders fill" testId="rule-set">
        {fills ?? account.rule_set}
      </Row>
      <AccountSwitch account={account} />
    </Panel>
  )
}

/** Why the account takes no orders, above everything it concerns. */
export function AccountStatus({ account }: { account: Account }) {
  const words = statusWords(account.status)
  if (!words) return null
  return (
    <div
      data-testid="account-status"
      data-status={account.status}
      className="hatched mb-3 border border-warn px-3 py-2"
    >
      <span className="font-semibold text-warn">{words.title}</span> {words.text}
    </div>
  )
}

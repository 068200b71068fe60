import { useQuery } from '@tanstack/react-query'
import { ruleSetsQuery } from '@/api/queries'
import type { Account } from '@/api/types'
import { identityAt } from '@/lib/equity'
import { formatUsd } from '@/lib/format'
import { useMarks } from '@/live/prices'
import { Figure, Pnl } from '@/ui/Figure'
import { Cell, Cells } from '@/ui/Panel'
import { AccountSwitch } from './AccountSwitch'
import { reasonText, statusWords } from './reasons'
import { limitsText, wayTitle } from './ruleSets'

/** What the account is worth now, and by which rules it trades. */
export function AccountPanel({ account }: { account: Account }) {
  const identity = identityAt(account, useMarks())
  const rules = useRuleSet(account)
  return (
    <section aria-label="Account" className="border-b border-line pb-3">
      <Cells>
        <Cell label="Equity">
          <Figure text={formatUsd(identity.equityMicros)} testId="equity" className="text-lg font-medium" />
        </Cell>
        <Cell label="Cash" testId="cash">
          {formatUsd(identity.cashMicros)}
        </Cell>
        {identity.heldMicros !== 0n && (
          <Cell label="Held for orders" testId="held">
            {formatUsd(identity.heldMicros)}
          </Cell>
        )}
        {identity.marginMicros !== 0n && (
          <Cell label="Margin" testId="margin">
            {formatUsd(identity.marginMicros)}
          </Cell>
        )}
        <Cell label="Unrealised">
          <Pnl micros={identity.unrealisedMicros} />
        </Cell>
        <Cell label="Realised">
          <Pnl micros={identity.realisedMicros} />
        </Cell>
        {identity.fundingMicros !== 0n && (
          <Cell label="Funding" testId="funding">
            <Pnl micros={identity.fundingMicros} />
          </Cell>
        )}
        <Cell label="Fees paid">{formatUsd(identity.feesMicros)}</Cell>
      </Cells>
      <div className="mt-2 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <p className="text-xs text-muted">
          {account.kind === 'practice' ? 'Practice account' : 'Contest account'}, virtual USD. Orders fill:{' '}
          <span data-testid="rule-set">{wayTitle(rules) ?? account.rule_set}</span>,{' '}
          {account.contest_eligible ? 'contest conditions' : 'not eligible for contests'}.{' '}
          <span data-testid="loss-limits">{limitsText(rules)}</span>
        </p>
        <AccountSwitch account={account} />
      </div>
    </section>
  )
}

const useRuleSet = (account: Account) =>
  useQuery(ruleSetsQuery).data?.find((one) => one.name === account.rule_set)

/** Why the account takes no orders, above everything it concerns. */
export function AccountStatus({ account }: { account: Account }) {
  const words = statusWords(account.status)
  const limits = limitsText(useRuleSet(account))
  if (!words) return null
  return (
    <div
      data-testid="account-status"
      data-status={account.status}
      className="hatched mb-3 border border-warn px-3 py-2"
    >
      <span className="font-semibold text-warn">{words.title}</span> {words.text}{' '}
      {account.status === 'frozen' && limits}{' '}
      <span data-testid="status-reason" data-reason={account.status_reason ?? ''}>
        {reasonText(account)}
      </span>
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { accountsQuery, configQuery, ruleSetsQuery } from '@/api/queries'
import type { Account } from '@/api/types'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { usePreferences } from '@/ui/preferences'
import { OpenAccount } from './OpenAccount'
import { wayTitle } from './ruleSets'
import { dismissOutcome } from './store'

/** Which of the person's accounts is looked at, and a way to open one under other rules. */
export function AccountSwitch({ account }: { account: Account }) {
  const accounts = useQuery(accountsQuery).data ?? []
  const ruleSets = useQuery(ruleSetsQuery).data ?? []
  const { data: config } = useQuery(configQuery)
  const [opening, setOpening] = useState(false)
  const inOrder = [...accounts].sort((a, b) => a.opened_ms - b.opened_ms)
  const choose = (id: string) => {
    dismissOutcome()
    usePreferences.setState({ account: id })
  }
  const words = (one: Account) =>
    wayTitle(ruleSets.find((rules) => rules.name === one.rule_set)) ?? one.rule_set
  return (
    <div className="flex items-center gap-3">
      {inOrder.length > 1 && (
        <select
          aria-label="Account"
          data-testid="account-switch"
          className="h-7 min-w-0 border border-input bg-bg px-1 text-sm text-text"
          value={account.account_id}
          onChange={(event) => choose(event.target.value)}
        >
          {inOrder.map((one, at) => (
            <option key={one.account_id} value={one.account_id}>
              {one.kind === 'practice' ? 'Account' : 'Contest account'} {at + 1}, {words(one).toLowerCase()}
            </option>
          ))}
        </select>
      )}
      <Button size="small" data-testid="open-another" onClick={() => setOpening(true)}>
        Open another…
      </Button>
      <Dialog open={opening} onClose={() => setOpening(false)} title="Another practice account">
        <OpenAccount
          startBalance={config?.start_balance}
          onOpened={(opened) => {
            choose(opened.account_id)
            setOpening(false)
          }}
        />
      </Dialog>
    </div>
  )
}

import { useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { newIdempotencyKey, request } from '@/api/client'
import { accountsQuery, mergeAccounts } from '@/api/queries'
import type { Account } from '@/api/types'
import { identityAt } from '@/lib/equity'
import { formatUsd, formatWire } from '@/lib/format'
import { useMarks } from '@/live/prices'
import { Button } from '@/ui/Button'
import { Figure, Pnl } from '@/ui/Figure'
import { Panel, Row } from '@/ui/Panel'

/** What the account is worth now. */
export function AccountPanel({ account }: { account: Account }) {
  const identity = identityAt(account, useMarks())
  return (
    <Panel
      title="Practice account"
      aside={<span className="text-xs text-muted">virtual USD, not eligible for contests</span>}
    >
      <Row label="Equity">
        <Figure text={formatUsd(identity.equityMicros)} testId="equity" className="text-lg font-medium" />
      </Row>
      <Row label="Cash" testId="cash">
        {formatUsd(identity.cashMicros)}
      </Row>
      <Row label="Unrealised">
        <Pnl micros={identity.unrealisedMicros} />
      </Row>
      <Row label="Realised">
        <Pnl micros={identity.realisedMicros} />
      </Row>
      <Row label="Fees paid">{formatUsd(identity.feesMicros)}</Row>
    </Panel>
  )
}

/** The one click between signing in and trading. */
export function OpenAccount({ startBalance }: { startBalance: string | undefined }) {
  const client = useQueryClient()
  const key = useRef(newIdempotencyKey())
  const [state, setState] = useState<{ sending: boolean; error?: string }>({ sending: false })
  const open = async () => {
    setState({ sending: true })
    try {
      const account = await request<Account>('POST', '/v1/accounts', {
        body: { kind: 'practice' },
        idempotencyKey: key.current,
      })
      client.setQueryData(accountsQuery.queryKey, (known) => mergeAccounts(known ?? [], [account]))
    } catch (error) {
      setState({ sending: false, error: error instanceof Error ? error.message : 'No answer came.' })
    }
  }
  return (
    <div className="space-y-3">
      <h2 className="text-lg font-semibold">Open your practice account</h2>
      <p className="text-muted">
        It starts with {startBalance ? `${formatWire(startBalance, 0)} virtual` : 'virtual'} USD at real
        prices. Nothing is paid and nothing can be withdrawn.
      </p>
      <Button
        look="accent"
        size="large"
        className="w-full"
        data-testid="create-account"
        disabled={state.sending}
        onClick={() => void open()}
      >
        {state.sending ? 'Opening…' : 'Open practice account'}
      </Button>
      {state.error && <p className="text-sm text-warn">{state.error} Trying again is safe.</p>}
    </div>
  )
}

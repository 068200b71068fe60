import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { newIdempotencyKey, request } from '@/api/client'
import { accountsQuery, mergeAccounts } from '@/api/queries'
import type { Account } from '@/api/types'
import { formatWire } from '@/lib/format'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'

/** Start over: a new cycle with fresh capital, asked twice. */
export function ResetAccount({ account }: { account: Account }) {
  const client = useQueryClient()
  const [intent, setIntent] = useState<string>()
  const [state, setState] = useState<{ sending: boolean; error?: string }>({ sending: false })
  const open = () => {
    setIntent(newIdempotencyKey())
    setState({ sending: false })
  }
  const reset = async () => {
    setState({ sending: true })
    try {
      const path = `/v1/accounts/${encodeURIComponent(account.account_id)}/reset`
      const next = await request<Account>('POST', path, { idempotencyKey: intent ?? '' })
      client.setQueryData(accountsQuery.queryKey, (known) => mergeAccounts(known ?? [], [next]))
      await client.invalidateQueries({ queryKey: ['history'] })
      setIntent(undefined)
    } catch (error) {
      setState({ sending: false, error: error instanceof Error ? error.message : 'No answer came.' })
    }
  }
  return (
    <>
      <Button size="small" onClick={open} data-testid="reset-account">
        Reset account…
      </Button>
      <Dialog
        open={intent !== undefined}
        onClose={() => setIntent(undefined)}
        title="Start a new cycle?"
        description={`Open positions are closed out and cycle ${account.cycle + 1} starts with ${formatWire(account.start, 0)} virtual USD. Orders, fills and the ledger of earlier cycles stay in the history.`}
      >
        {state.error && <p className="mb-3 text-sm text-warn">{state.error} Trying again is safe.</p>}
        <div className="flex justify-end gap-2">
          <Button look="quiet" onClick={() => setIntent(undefined)}>
            Keep trading
          </Button>
          <Button
            look="danger"
            disabled={state.sending}
            onClick={() => void reset()}
            data-testid="confirm-reset"
          >
            {state.sending ? 'Resetting…' : 'Reset account'}
          </Button>
        </div>
      </Dialog>
    </>
  )
}

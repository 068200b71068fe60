import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { newIdempotencyKey, request } from '@/api/client'
import { accountsQuery, mergeAccounts, ruleSetsQuery } from '@/api/queries'
import type { Account } from '@/api/types'
import { formatWire } from '@/lib/format'
import { Button } from '@/ui/Button'
import { focusMainIfLost } from '@/ui/focus'
import { Failure } from '@/ui/States'
import { type Choice, choicesOf } from './ruleSets'

interface Props {
  startBalance: string | undefined
  /** Told of the account once it is open. */
  onOpened?: (account: Account) => void
}

/** The one step between signing in and trading: how orders fill, then one click. */
export function OpenAccount({ startBalance, onOpened }: Props) {
  const client = useQueryClient()
  const rules = useQuery(ruleSetsQuery)
  const choices = choicesOf(rules.data ?? [])
  const [chosen, setChosen] = useState<string>()
  const intent = useRef({ name: '', key: '' })
  const [state, setState] = useState<{ sending: boolean; error?: string }>({ sending: false })
  const name = chosen ?? choices.find((one) => one.isDefault)?.name
  const open = async () => {
    setState({ sending: true })
    // Another choice is another intent: its key must be another.
    if (intent.current.name !== (name ?? 'default'))
      intent.current = { name: name ?? 'default', key: newIdempotencyKey() }
    try {
      const account = await request<Account>('POST', '/v1/accounts', {
        body: { kind: 'practice', ...(name ? { rule_set: name } : {}) },
        idempotencyKey: intent.current.key,
      })
      client.setQueryData(accountsQuery.queryKey, (known) => mergeAccounts(known ?? [], [account]))
      setState({ sending: false })
      onOpened?.(account)
      requestAnimationFrame(focusMainIfLost)
    } catch (error) {
      setState({ sending: false, error: error instanceof Error ? error.message : 'No answer came.' })
    }
  }
  return (
    <div className="space-y-3">
      <h2 className="text-lg font-semibold">Open your practice account</h2>
      <p className="text-muted">
        It starts with {startBalance ? `${formatWire(startBalance, 0)} virtual` : 'virtual'} USD. Nothing is
        paid and nothing can be withdrawn.
      </p>
      {rules.error && !rules.data && (
        <Failure what="the ways orders may fill" error={rules.error} onRetry={() => void rules.refetch()} />
      )}
      <RuleSetChoice choices={choices} chosen={name} onChoose={setChosen} />
      <Button
        look="accent"
        size="large"
        className="w-full"
        data-testid="create-account"
        disabled={state.sending || !rules.data}
        onClick={() => void open()}
      >
        {state.sending ? 'Opening…' : 'Open practice account'}
      </Button>
      {state.error && <p className="text-sm text-warn">{state.error} Trying again is safe.</p>}
    </div>
  )
}

interface ChoiceProps {
  choices: readonly Choice[]
  chosen: string | undefined
  onChoose: (name: string) => void
}

function RuleSetChoice({ choices, chosen, onChoose }: ChoiceProps) {
  return (
    <fieldset className="space-y-1">
      <legend className="mb-1 text-sm text-muted">How orders fill. It stays so for this account.</legend>
      {choices.map((choice) => (
        <label
          key={choice.name}
          className={`flex gap-3 border p-3 ${choice.name === chosen ? 'border-accent bg-surface' : 'border-line'}`}
        >
          <input
            type="radio"
            name="rule-set"
            className="mt-1 size-4 shrink-0 accent-(--accent)"
            data-testid={`rule-set-${choice.name}`}
            checked={choice.name === chosen}
            onChange={() => onChoose(choice.name)}
          />
          <span className="min-w-0">
            <span className="flex flex-wrap items-baseline gap-x-2 font-medium">
              {choice.title}
              {choice.contestEligible && <span className="text-xs text-accent">contest conditions</span>}
            </span>
            <span className="block text-sm text-muted">{choice.text}</span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { backtestsQuery } from '@/api/backtests'
import { newIdempotencyKey } from '@/api/client'
import { Button } from '@/ui/Button'
import { Segmented } from '@/ui/Segmented'
import { startBacktest, type Tape, type UseModels } from './backtests'
import { Field, INPUT } from './fields'
import { chosenSpan, dateText, LENGTHS, type Length, newest, nextName, type Span } from './spans'
import { canonicalText, type Strategy } from './strategy'

const NAME_CHARS_MAX = 60
const MODELS = [
  { value: 'recorded', label: 'Recorded answers only', testId: 'models-recorded' },
  { value: 'ask', label: 'Ask the model', testId: 'models-ask' },
] as const satisfies readonly { value: UseModels; label: string; testId: string }[]
const HINTS: Record<UseModels, string> = {
  recorded: 'Where no answer is recorded, it holds, and that is counted.',
  ask: 'Every missing answer is asked for and paid from your budget, then kept.',
}

interface Props {
  span: Span
  tape: Tape
  strategy: Strategy
  cloneName: string
}

/** Which minutes, under which name, and where the answers of a prompt come from. */
export function StartBacktest({ span, tape, strategy, cloneName }: Props) {
  const client = useQueryClient()
  const others = useQuery(backtestsQuery).data ?? []
  const [length, setLength] = useState<Length>('7')
  const [days, setDays] = useState<{ from: string; to: string }>()
  const [typed, setTyped] = useState<string>()
  const [models, setModels] = useState<UseModels>('recorded')
  const shown = newest(span, length)
  const from = days?.from ?? dateText(shown.from_ms)
  const to = days?.to ?? dateText(shown.to_ms - 1)
  const chosen = days ? chosenSpan(span, from, to) : shown
  const name =
    typed ??
    nextName(
      cloneName,
      others.map((one) => one.name),
    )
  const asks = strategy.nodes.some((node) => node.kind === 'trading_prompt')
  const intent = useRef({ for: '', key: '' })
  const start = useMutation({
    mutationFn: (wanted: Span) => {
      const about = `${tape.name} ${wanted.from_ms} ${wanted.to_ms} ${models} ${name} ${canonicalText(strategy)}`
      if (intent.current.for !== about) intent.current = { for: about, key: newIdempotencyKey() }
      const how = asks ? { use_models: models } : {}
      return startBacktest(
        { strategy, name: name.trim(), tape: tape.name, ...wanted, ...how },
        intent.current.key,
      )
    },
    onSuccess: async () => {
      intent.current = { for: '', key: '' }
      setTyped(undefined)
      await client.invalidateQueries(backtestsQuery)
    },
  })
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-3 gap-y-2">
        <Segmented
          label="How long"
          value={days ? 'all' : length}
          options={LENGTHS}
          onChange={(next) => {
            setLength(next)
            setDays(undefined)
          }}
        />
        <Field label="From (UTC)">
          <input
            type="date"
            className={`${INPUT} h-9!`}
            value={from}
            min={dateText(span.from_ms)}
            max={dateText(span.to_ms)}
            onChange={(event) => setDays({ from: event.target.value, to })}
          />
        </Field>
        <Field label="To (UTC)">
          <input
            type="date"
            className={`${INPUT} h-9!`}
            value={to}
            min={dateText(span.from_ms)}
            max={dateText(span.to_ms)}
            onChange={(event) => setDays({ from, to: event.target.value })}
          />
        </Field>
        <div className="min-w-44 flex-1 sm:max-w-64">
          <Field label="Name">
            <input
              className={`${INPUT} h-9!`}
              data-testid="backtest-name"
              maxLength={NAME_CHARS_MAX}
              value={name}
              onChange={(event) => setTyped(event.target.value)}
            />
          </Field>
        </div>
        <Button
          look="accent"
          data-testid="start-backtest"
          disabled={!chosen || !name.trim() || start.isPending}
          onClick={() => chosen && start.mutate(chosen)}
        >
          {start.isPending ? 'Starting…' : 'Play'}
        </Button>
      </div>
      {asks && (
        <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <Segmented
            label="Answers of the model"
            size="small"
            value={models}
            options={MODELS}
            onChange={setModels}
          />
          <p className="text-sm text-muted">{HINTS[models]}</p>
        </div>
      )}
      {!chosen && <p className="text-sm text-warn">Nothing was recorded between these days.</p>}
      {start.error && (
        <p role="alert" className="text-sm text-warn">
          {start.error.message}
        </p>
      )}
    </>
  )
}

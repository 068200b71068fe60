import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { backtestsQuery } from '@/api/backtests'
import { newIdempotencyKey } from '@/api/client'
import type { OwnerClone } from '@/api/clones'
import { Button } from '@/ui/Button'
import { Panel } from '@/ui/Panel'
import { Segmented } from '@/ui/Segmented'
import { Empty, Failure, Loading } from '@/ui/States'
import { BacktestList } from './BacktestList'
import { startBacktest, type Tape, tapesQuery } from './backtests'
import { Field, INPUT, Select } from './fields'
import { chosenSpan, commonSpan, dateText, LENGTHS, type Length, missingOn, newest, type Span } from './spans'
import { useDoc, useEditor } from './store'
import { canonicalText, type Strategy } from './strategy'

const NAME_CHARS_MAX = 60

/** Play the draft over recorded minutes, through the same decisions and the same exchange. */
export function BacktestPanel({ clone }: { clone: OwnerClone }) {
  const tapes = useQuery(tapesQuery)
  return (
    <Panel title="Backtest">
      {tapes.isPending && <Loading rows={2} label="Loading tapes" />}
      {tapes.error && !tapes.data && (
        <Failure what="tapes" error={tapes.error} onRetry={() => void tapes.refetch()} />
      )}
      {tapes.data?.length === 0 && <Empty title="This server has nothing recorded yet." />}
      {tapes.data && tapes.data.length > 0 && <Form clone={clone} tapes={tapes.data} />}
      <BacktestList />
    </Panel>
  )
}

function Form({ clone, tapes }: { clone: OwnerClone; tapes: readonly Tape[] }) {
  const { strategy } = useDoc()
  const problems = useEditor((editor) => editor.problems)
  const markets = marketsOf(strategy)
  const [name, setName] = useState('')
  const fitting = tapes.find((one) => commonSpan(one, markets))
  const tape = tapes.find((one) => one.name === name) ?? fitting ?? tapes[0]
  const span = tape && commonSpan(tape, markets)
  const missing = tape ? missingOn(tape, markets) : []
  return (
    <div className="space-y-3">
      <div className="max-w-sm">
        <Field label="Tape">
          <Select
            label="Tape"
            value={tape?.name ?? ''}
            options={tapes.map((one) => [one.name, `${one.title} · ${one.feed.toUpperCase()}`] as const)}
            onChange={setName}
            testId="tape"
          />
        </Field>
      </div>
      {problems.length > 0 && <p className="text-sm text-muted">Solve the problems first.</p>}
      {problems.length === 0 && missing.length > 0 && (
        <p className="text-sm text-warn">This tape has no {missing.join(', ')}.</p>
      )}
      {tape && span && problems.length === 0 && (
        <SpanForm
          key={`${tape.name} ${span.from_ms}`}
          span={span}
          tape={tape}
          strategy={strategy}
          name={`${clone.name} draft`.slice(0, NAME_CHARS_MAX)}
        />
      )}
    </div>
  )
}

interface SpanProps {
  span: Span
  tape: Tape
  strategy: Strategy
  name: string
}

function SpanForm({ span, tape, strategy, name }: SpanProps) {
  const client = useQueryClient()
  const [length, setLength] = useState<Length>('7')
  const [days, setDays] = useState<{ from: string; to: string }>()
  const shown = newest(span, length)
  const from = days?.from ?? dateText(shown.from_ms)
  const to = days?.to ?? dateText(shown.to_ms - 1)
  const chosen = days ? chosenSpan(span, from, to) : shown
  const intent = useRef({ for: '', key: '' })
  const start = useMutation({
    mutationFn: (wanted: Span) => {
      const about = `${tape.name} ${wanted.from_ms} ${wanted.to_ms} ${canonicalText(strategy)}`
      if (intent.current.for !== about) intent.current = { for: about, key: newIdempotencyKey() }
      return startBacktest({ strategy, name, tape: tape.name, ...wanted }, intent.current.key)
    },
    onSuccess: async () => {
      intent.current = { for: '', key: '' }
      await client.invalidateQueries(backtestsQuery)
    },
  })
  return (
    <>
      <div className="flex flex-wrap items-end gap-2">
        <Segmented
          label="How long"
          size="small"
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
            className={INPUT}
            value={from}
            min={dateText(span.from_ms)}
            max={dateText(span.to_ms)}
            onChange={(event) => setDays({ from: event.target.value, to })}
          />
        </Field>
        <Field label="To (UTC)">
          <input
            type="date"
            className={INPUT}
            value={to}
            min={dateText(span.from_ms)}
            max={dateText(span.to_ms)}
            onChange={(event) => setDays({ from, to: event.target.value })}
          />
        </Field>
        <Button
          look="accent"
          data-testid="start-backtest"
          disabled={!chosen || start.isPending}
          onClick={() => chosen && start.mutate(chosen)}
        >
          {start.isPending ? 'Starting…' : 'Play'}
        </Button>
      </div>
      {!chosen && <p className="text-sm text-warn">Nothing was recorded between these days.</p>}
      {start.error && (
        <p role="alert" className="text-sm text-warn">
          {start.error.message}
        </p>
      )}
    </>
  )
}

function marketsOf(strategy: Strategy): string[] {
  const all = strategy.nodes.flatMap((node) => (node.kind === 'asset' ? node.markets : []))
  return [...new Set(all)]
}

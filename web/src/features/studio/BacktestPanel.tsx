import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { OwnerClone } from '@/api/clones'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { BacktestList } from './BacktestList'
import { type Tape, tapesQuery } from './backtests'
import { Field, Select } from './fields'
import { StartBacktest } from './StartBacktest'
import { commonSpan, missingOn, tapeFor } from './spans'
import { useDoc, useEditor } from './store'
import type { Strategy } from './strategy'

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
  const tape = tapes.find((one) => one.name === name) ?? tapeFor(tapes, markets)
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
        <StartBacktest
          key={`${tape.name} ${span.from_ms}`}
          span={span}
          tape={tape}
          strategy={strategy}
          cloneName={clone.name}
        />
      )}
    </div>
  )
}

function marketsOf(strategy: Strategy): string[] {
  const all = strategy.nodes.flatMap((node) => (node.kind === 'asset' ? node.markets : []))
  return [...new Set(all)]
}

import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { codeText, wantedText } from '@/lib/decisions'
import { Button } from '@/ui/Button'
import { Evidence } from '@/ui/Evidence'
import { Panel } from '@/ui/Panel'
import { UsageLine } from '@/ui/UsageLine'
import { type DryRun, dryRun } from './api'
import { Select } from './fields'
import { useDoc, useEditor } from './store'
import { canonicalText, type Strategy } from './strategy'

/** One decision of the draft as it is, on the market as it is, without trading. */
export function DryRunPanel({ cloneId }: { cloneId: string }) {
  const { strategy } = useDoc()
  const problems = useEditor((editor) => editor.problems)
  const markets = marketsOf(strategy)
  const [chosen, setChosen] = useState('')
  const market = markets.includes(chosen) ? chosen : (markets[0] ?? '')
  const run = useMutation({
    mutationFn: async () => ({
      made: await dryRun(cloneId, strategy, market),
      text: canonicalText(strategy),
    }),
  })
  const asks = strategy.nodes.some((node) => node.kind === 'trading_prompt')
  const outdated = run.data !== undefined && run.data.text !== canonicalText(strategy)
  return (
    <Panel title="Dry run">
      <p className="mb-2 text-sm text-muted">
        Decides once with this draft, now, and trades nothing.
        {asks && ' A prompt asks its model, which is paid.'}
      </p>
      <div className="flex flex-wrap items-center gap-2">
        <span className="w-44">
          <Select
            label="Market"
            value={market}
            options={markets.map((one) => [one, one.replace('-', '/')] as const)}
            onChange={setChosen}
          />
        </span>
        <Button
          data-testid="dry-run"
          disabled={run.isPending || problems.length > 0 || market === ''}
          onClick={() => run.mutate()}
        >
          {run.isPending ? 'Deciding…' : 'Decide once'}
        </Button>
        {problems.length > 0 && <span className="text-sm text-muted">Solve the problems first.</span>}
      </div>
      {run.error && <p className="mt-2 text-sm text-warn">{run.error.message}</p>}
      {run.data && <Made made={run.data.made} outdated={outdated} />}
    </Panel>
  )
}

function Made({ made, outdated }: { made: DryRun; outdated: boolean }) {
  return (
    <div data-testid="dry-run-result" className="mt-3 space-y-3">
      {outdated && <p className="text-sm text-warn">The draft has changed since.</p>}
      {made.failure && <p className="text-sm text-warn">{codeText(made.failure)}.</p>}
      {made.unusable && (
        <p className="text-sm text-warn">
          The answer cannot be used: {codeText(made.unusable.code)}. {made.unusable.detail}
        </p>
      )}
      <ul>
        {made.decisions.map((one) => (
          <li key={one.market} className="border-b border-line py-2">
            <p className="font-medium">{wantedText(one)}</p>
            {one.reason && <p className="text-sm text-muted">{one.reason}</p>}
            <p className={`text-sm ${one.allowed ? 'text-accent' : 'text-muted'}`}>
              {codeText(one.code)}
              {one.detail && <span className="text-muted">: {one.detail}</span>}
            </p>
          </li>
        ))}
      </ul>
      <Evidence title="Context" text={made.context} note={`sha256 ${made.context_sha256}`} />
      {made.prompt !== null && <Evidence title="Prompt" text={made.prompt} />}
      {made.answer !== null && <Evidence title="Answer" text={made.answer} />}
      {made.usage && <UsageLine usage={made.usage} />}
    </div>
  )
}

function marketsOf(strategy: Strategy): string[] {
  const all = strategy.nodes.flatMap((node) => (node.kind === 'asset' ? node.markets : []))
  return [...new Set(all)]
}

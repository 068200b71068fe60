import { useMutation, useQuery } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Problem } from '@/api/client'
import { modelsQuery, type OwnerRun } from '@/api/clones'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { useZone } from '@/ui/preferences'
import { Segmented } from '@/ui/Segmented'
import { Failure, Loading } from '@/ui/States'
import { Suggestions } from '@/ui/Suggestions'
import { replay, versionQuery } from './api'
import { ReplayView } from './ReplayView'
import { RuleChoice } from './RuleChoice'
import {
  asksModel,
  type Decided,
  decidedBy,
  type InsteadKind,
  insteadOf,
  insteadsFor,
  type Typed,
} from './replay'
import { VersionChoice } from './VersionChoice'

const LABELS: Record<InsteadKind, string> = {
  model: 'Another model',
  prompt: 'Other words',
  rule: 'A rule',
  version: 'A version of yours',
}
const MODEL_CHARS_MAX = 80
const PROMPT_CHARS_MAX = 8_000

/** A recorded decision made again from the same context, with something else deciding. Trades nothing. */
export function ReplayDialog({ run, onClose }: { run: OwnerRun; onClose: () => void }) {
  const zone = useZone()
  const version = useQuery(versionQuery(run.clone_id, run.version))
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title="Decide it again"
      description={`What it saw at ${formatDateTime(run.slot_ms, zone)}, decided by something else. Nothing is traded.`}
    >
      {version.isPending && <Loading rows={4} label="Loading what decided then" />}
      {version.error && !version.data && (
        <Failure what="what decided then" error={version.error} onRetry={() => void version.refetch()} />
      )}
      {version.data && <Form run={run} decided={decidedBy(version.data.strategy)} />}
    </Dialog>
  )
}

function Form({ run, decided }: { run: OwnerRun; decided: Decided }) {
  const kinds = insteadsFor(decided)
  const [typed, setTyped] = useState<Typed>({
    kind: kinds[0] ?? 'rule',
    ...decided,
    rule: undefined,
    part: undefined,
  })
  const instead = insteadOf(typed)
  const { data: offered = [] } = useQuery(modelsQuery)
  const decide = useMutation({ mutationFn: replay.bind(null, run.run_id) })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (instead) decide.mutate(instead)
  }
  return (
    <form onSubmit={submit} className="space-y-4">
      {kinds.length > 1 && (
        <Segmented
          label="What decides instead"
          value={typed.kind}
          options={kinds.map((one) => ({ value: one, label: LABELS[one], testId: `instead-${one}` }))}
          onChange={(kind) => setTyped({ ...typed, kind })}
        />
      )}
      {typed.kind === 'model' && (
        <label className="block">
          <span className="mb-0.5 block text-xs text-muted">Model, as provider:model</span>
          <input
            data-first-focus
            data-testid="instead-model-name"
            className="figure h-9 w-full border border-input bg-bg px-2"
            maxLength={MODEL_CHARS_MAX}
            list="offered-models"
            value={typed.model}
            onChange={(event) => setTyped({ ...typed, model: event.target.value })}
          />
          <Suggestions id="offered-models" values={offered} />
        </label>
      )}
      {typed.kind === 'prompt' && (
        <label className="block">
          <span className="mb-0.5 block text-xs text-muted">Words to {decided.model}</span>
          <textarea
            data-testid="instead-words"
            className="h-40 w-full border border-input bg-bg px-2 py-1.5"
            maxLength={PROMPT_CHARS_MAX}
            value={typed.prompt}
            onChange={(event) => setTyped({ ...typed, prompt: event.target.value })}
          />
        </label>
      )}
      {typed.kind === 'rule' && <RuleChoice onChange={(rule) => setTyped((now) => ({ ...now, rule }))} />}
      {typed.kind === 'version' && (
        <VersionChoice run={run} onChange={(part) => setTyped((now) => ({ ...now, part }))} />
      )}
      <div className="flex flex-wrap items-center justify-between gap-3">
        <span className="text-xs text-muted">
          {asksModel(instead) && 'The model is really asked, within your budget.'}
        </span>
        <Button
          type="submit"
          look="accent"
          data-testid="decide-again"
          disabled={!instead || decide.isPending}
        >
          {decide.isPending ? 'Deciding…' : 'Decide again'}
        </Button>
      </div>
      {decide.error && <Refused error={decide.error} />}
      {decide.data && !decide.isPending && <ReplayView replay={decide.data} run={run} />}
    </form>
  )
}

/** A rule may need figures that this context does not have: then every problem is told. */
function Refused({ error }: { error: Error }) {
  const problems = error instanceof Problem && Array.isArray(error.body.problems) ? error.body.problems : []
  return (
    <div role="alert" className="text-sm text-warn" data-testid="replay-error">
      <p>{error.message}</p>
      <ul className="list-disc pl-5">
        {problems.map((one: { message?: unknown }) => (
          <li key={String(one.message)}>{String(one.message)}</li>
        ))}
      </ul>
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { codeText, isUnderWay, RUN_STATES, shareText } from '@/lib/decisions'
import { formatWire } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Evidence } from '@/ui/Evidence'
import { useZone } from '@/ui/preferences'
import { Loading } from '@/ui/States'
import {
  type ArtifactKind,
  artifactQuery,
  isOwnerRun,
  type OwnerDecision,
  type OwnerRun,
  type Run,
} from './api'
import { type CardLine, headlineOf, linesOf } from './feed'
import { OrderOutcome } from './OrderOutcome'

/** Action and size first, one line for each market, then the way there: context, reasoning, proposal, verdict, fill. */
export function DecisionCard({ run }: { run: Run }) {
  const zone = useZone()
  const [open, setOpen] = useState(false)
  const lines = linesOf(run)
  const troubled = run.state === 'failed' || run.state === 'rejected' || run.state === 'late'
  return (
    <li
      data-testid="decision"
      data-state={run.state}
      data-run={run.run_id}
      className="border-b border-line py-3"
    >
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h3 className="font-medium">{isUnderWay(run.state) ? 'Deciding…' : headlineOf(run, lines)}</h3>
        <p className="text-sm text-muted">
          <span className={troubled ? 'text-warn' : ''}>{RUN_STATES[run.state] ?? run.state}</span>
          <span className="figure"> · {formatDateTime(run.slot_ms, zone)}</span>
        </p>
      </div>
      {run.code && <p className="text-sm text-warn">{codeText(run.code)}</p>}
      <ul>
        {lines.map((one) => (
          <Line key={one.market} line={one} />
        ))}
      </ul>
      {isOwnerRun(run) && (
        <details
          className="mt-1"
          onToggle={(event) => event.target === event.currentTarget && setOpen(event.currentTarget.open)}
        >
          <summary className="flex h-7 items-center text-sm text-accent" data-testid="decision-details">
            How it came to this
          </summary>
          {open && <Way run={run} lines={lines} />}
        </details>
      )}
    </li>
  )
}

function Line({ line }: { line: CardLine }) {
  return (
    <li className="text-sm text-muted" data-testid="decision-line">
      {line.line}
      {!line.line.includes(codeText(line.code)) && line.code !== 'allowed' && line.code !== 'hold' && (
        <span> ({codeText(line.code)})</span>
      )}
    </li>
  )
}

/** What only the owner is sent. */
function Way({ run, lines }: { run: OwnerRun; lines: readonly CardLine[] }) {
  return (
    <div className="mt-1 space-y-2 border-l border-input pl-3">
      <Artifact run={run} kind="context" sha256={run.context_sha256} title="Context" />
      <Artifact run={run} kind="prompt" sha256={run.prompt_sha256} title="Prompt" />
      <Artifact run={run} kind="answer" sha256={run.answer_sha256} title="Answer" />
      {lines.map(
        (one) => one.own && <Own key={one.market} own={one.own} title={one.title} cloneId={run.clone_id} />,
      )}
      {run.detail && <p className="text-sm text-muted">{run.detail}</p>}
      {run.usage && (
        <p className="figure text-xs text-muted">
          {run.usage.model}: {run.usage.tokens_in} tokens in, {run.usage.tokens_out} out,{' '}
          {run.usage.cost === null ? 'cost unknown' : `${formatWire(run.usage.cost, 4)} USD`},{' '}
          {run.usage.latency_ms} ms
        </p>
      )}
      {run.snapshot_sha256 && (
        <p className="figure text-xs break-all text-muted">
          version {run.version}, snapshot {run.snapshot_sha256}
        </p>
      )}
    </div>
  )
}

function Own({ own, title, cloneId }: { own: OwnerDecision; title: string; cloneId: string }) {
  const rows = [
    ['Reasoning', own.reason],
    ['Proposal', proposalText(own, title)],
    ['Risk verdict', own.detail ? `${codeText(own.code)}: ${own.detail}` : codeText(own.code)],
  ] as const
  return (
    <dl className="grid grid-cols-[88px_minmax(0,1fr)] gap-x-3 gap-y-1 border-t border-line pt-2 text-sm">
      {rows.map(
        ([name, text]) =>
          text && (
            <div key={name} className="contents">
              <dt className="text-xs leading-[18px] text-muted">{name}</dt>
              <dd className="break-words whitespace-pre-wrap" data-testid={`own-${name.toLowerCase()}`}>
                {text}
              </dd>
            </div>
          ),
      )}
      <dt className="text-xs leading-[18px] text-muted">Fill</dt>
      <dd data-testid="own-orders">
        {own.order_ids.length === 0
          ? 'none'
          : own.order_ids.map((id) => <OrderOutcome key={id} cloneId={cloneId} orderId={id} />)}
      </dd>
    </dl>
  )
}

function proposalText(proposal: OwnerDecision, title: string): string {
  const extras = [
    proposal.stop_price && `stop ${formatWire(proposal.stop_price, 2)}`,
    proposal.target_price && `target ${formatWire(proposal.target_price, 2)}`,
    proposal.confidence && `confidence ${shareText(proposal.confidence)}`,
  ].filter(Boolean)
  return [title, ...extras].join(', ')
}

interface ArtifactProps {
  run: OwnerRun
  kind: ArtifactKind
  sha256: string | null
  title: string
}

function Artifact({ run, kind, sha256, title }: ArtifactProps) {
  const artifact = useQuery({ ...artifactQuery(run.run_id, kind), enabled: sha256 !== null })
  if (sha256 === null) return null
  if (artifact.isPending) return <Loading rows={1} label={`Loading the ${kind}`} />
  if (artifact.error) {
    return (
      <p className="text-sm text-warn">
        {title}: {artifact.error.message}
      </p>
    )
  }
  return <Evidence title={title} text={artifact.data} note={`sha256 ${sha256}`} />
}

import { useQuery } from '@tanstack/react-query'
import type { OwnerDecision, OwnerRun } from '@/api/clones'
import { codeText, shareText } from '@/lib/decisions'
import { formatWire } from '@/lib/format'
import { Evidence } from '@/ui/Evidence'
import { Loading } from '@/ui/States'
import { UsageLine } from '@/ui/UsageLine'
import { type ArtifactKind, artifactQuery } from './api'
import type { CardLine } from './feed'
import { OrderOutcome } from './OrderOutcome'

interface Props {
  run: OwnerRun
  lines: readonly CardLine[]
  accountId: string | undefined
}

/** How a decision came to be: reasoning, proposal, verdict and fill of each market, then what it saw and was told. */
export function DecisionWay({ run, lines, accountId }: Props) {
  return (
    <div className="mt-2 space-y-3 border-l border-input pl-3">
      {lines.map(
        (one) => one.own && <Own key={one.market} own={one.own} title={one.title} accountId={accountId} />,
      )}
      {run.detail && <p className="text-sm text-muted">{run.detail}</p>}
      <div>
        <Artifact run={run} kind="context" sha256={run.context_sha256} title="Context" />
        <Artifact run={run} kind="prompt" sha256={run.prompt_sha256} title="Prompt" />
        <Artifact run={run} kind="answer" sha256={run.answer_sha256} title="Answer" />
      </div>
      {run.usage && <UsageLine usage={run.usage} />}
      <p
        className="figure truncate text-xs text-muted"
        title={run.snapshot_sha256 ? `snapshot ${run.snapshot_sha256}` : undefined}
      >
        version {run.version}
        {run.snapshot_sha256 && ` · snapshot ${run.snapshot_sha256.slice(0, 16)}…`}
      </p>
    </div>
  )
}

interface OwnProps {
  own: OwnerDecision
  title: string
  accountId: string | undefined
}

function Own({ own, title, accountId }: OwnProps) {
  const rows = [
    ['Reasoning', own.reason],
    ['Proposal', proposalText(own, title)],
    ['Risk verdict', own.detail ? `${codeText(own.code)}: ${own.detail}` : codeText(own.code)],
  ] as const
  return (
    <dl className="grid grid-cols-[84px_minmax(0,1fr)] gap-x-3 gap-y-1 text-sm">
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
        {own.order_ids.length === 0 || accountId === undefined
          ? 'none'
          : own.order_ids.map((id) => <OrderOutcome key={id} accountId={accountId} orderId={id} />)}
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

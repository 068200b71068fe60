import { useState } from 'react'
import { isOwnerRun, type Run } from '@/api/clones'
import { codeText, isUnderWay, RUN_STATES } from '@/lib/decisions'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { useZone } from '@/ui/preferences'
import { DecisionWay } from './DecisionWay'
import { type CardLine, headlineOf, linesOf, reasonOf } from './feed'
import { ReplayDialog } from './ReplayDialog'

interface Props {
  run: Run
  /** Known to the owner alone. */
  accountId: string | undefined
}

/** Action and size first, one line for each market, then the way there: context, reasoning, proposal, verdict, fill. */
export function DecisionCard({ run, accountId }: Props) {
  const zone = useZone()
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
        <p className="text-xs text-muted">
          <span className={troubled ? 'text-warn' : ''}>{RUN_STATES[run.state] ?? run.state}</span>
          <span className="figure"> · {formatDateTime(run.slot_ms, zone)}</span>
        </p>
      </div>
      {run.code && <p className="text-sm text-warn">{codeText(run.code)}</p>}
      {isOwnerRun(run) && run.unreadable && (
        <p className="text-sm text-warn" data-testid="decision-unreadable">
          Reasons, exits and conditions of this decision cannot be opened. What everybody sees of it is below.
        </p>
      )}
      <ul>
        {lines.map((one) => (
          <Line key={one.market} line={one} isAlone={lines.length === 1} />
        ))}
      </ul>
      {isOwnerRun(run) && <Inside run={run} lines={lines} accountId={accountId} />}
    </li>
  )
}

/** One line of why. Where the headline has said it all, there is none. */
function Line({ line, isAlone }: { line: CardLine; isAlone: boolean }) {
  const why = reasonOf(line)
  const isSaid = isAlone && !why
  if (isSaid) return null
  return (
    <li className="truncate text-sm text-muted" data-testid="decision-line" title={why}>
      {!isAlone && <span className="text-text">{line.title}</span>}
      {!isAlone && why && ' · '}
      {why}
    </li>
  )
}

interface InsideProps {
  run: Extract<Run, { form: 'owner' }>
  lines: readonly CardLine[]
  accountId: string | undefined
}

/** What only the owner is sent, and deciding it again. */
function Inside({ run, lines, accountId }: InsideProps) {
  const [open, setOpen] = useState(false)
  const [replaying, setReplaying] = useState(false)
  return (
    <>
      <div className="mt-1 flex flex-wrap items-center gap-x-2">
        <Button
          size="small"
          look="quiet"
          className="-ml-2"
          aria-expanded={open}
          data-testid="decision-details"
          onClick={() => setOpen(!open)}
        >
          <span aria-hidden="true" className={open ? 'rotate-90' : ''}>
            ▸
          </span>
          How it came to this
        </Button>
        {run.context_sha256 !== null && (
          <Button size="small" look="quiet" data-testid="replay" onClick={() => setReplaying(true)}>
            Decide it again…
          </Button>
        )}
      </div>
      {open && <DecisionWay run={run} lines={lines} accountId={accountId} />}
      {replaying && <ReplayDialog run={run} onClose={() => setReplaying(false)} />}
    </>
  )
}

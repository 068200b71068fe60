import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type LatestDecision, latestDecisionsQuery } from '@/api/boards'
import { codeText, headline, RUN_STATES, wantedText } from '@/lib/decisions'
import { formatDateTime } from '@/lib/time'
import { Dimmed } from '@/live/Dimmed'
import { Avatar } from '@/ui/Avatar'
import { Panel } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Failure, Loading } from '@/ui/States'

const SHOWN = 6
const FACE_PX = 32

/** What clones decided last, also to hold and to fail, in the words that everybody is told. */
export function LatestDecisions() {
  const latest = useQuery(latestDecisionsQuery(SHOWN))
  const all = (
    <Link to="/clones" className="link text-sm text-muted hover:text-text">
      All clones
    </Link>
  )
  return (
    <Panel title="Latest decisions of clones" aside={all}>
      {latest.isPending && <Loading rows={SHOWN} label="Loading decisions" />}
      {latest.error && !latest.data && (
        <Failure what="decisions" error={latest.error} onRetry={() => void latest.refetch()} />
      )}
      {latest.data?.length === 0 && (
        <p className="py-3 text-muted">
          No clone has decided yet: the first decision comes with its next slot.
        </p>
      )}
      <Dimmed>
        <ol data-testid="latest-decisions">
          {latest.data?.map((one) => (
            <Latest key={one.decision.run_id} latest={one} />
          ))}
        </ol>
      </Dimmed>
    </Panel>
  )
}

function Latest({ latest: { clone, decision } }: { latest: LatestDecision }) {
  const zone = useZone()
  const done = decision.decisions.filter((one) => one.code === 'allowed').map(wantedText)
  return (
    <li
      data-testid="latest-decision"
      data-state={decision.state}
      className="relative flex items-center gap-3 border-b border-line py-2 hover:bg-surface"
    >
      <Avatar cloneId={clone.clone_id} size={FACE_PX} />
      <div className="min-w-0 flex-1">
        <p className="truncate">
          <span className="font-medium">{headline(decision.state, done)}</span>
          {decision.code && <span className="text-warn"> · {codeText(decision.code)}</span>}
        </p>
        <p className="flex flex-wrap justify-between gap-x-4 text-xs text-muted">
          <Link
            to="/clones/$id"
            params={{ id: clone.clone_id }}
            className="truncate after:absolute after:inset-0"
          >
            {clone.name}
          </Link>
          <span>
            {RUN_STATES[decision.state] ?? decision.state}
            <span className="figure"> · {formatDateTime(decision.slot_ms, zone)}</span>
          </span>
        </p>
      </div>
    </li>
  )
}

import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useMe } from '@/api/queries'
import { formatDate, formatTime } from '@/lib/time'
import { Avatar } from '@/ui/Avatar'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { cloneQuery, deploymentQuery, type PublicClone } from './api'
import { CloneEquity } from './CloneEquity'
import { Decisions } from './Decisions'
import { ReportDialog } from './ReportDialog'

const route = getRouteApi('/clones/$id')

/** What everybody may know of a clone. Its owner is sent more about each decision, nobody else is. */
export function ClonePage() {
  const { id } = route.useParams()
  const clone = useQuery(cloneQuery(id))
  if (clone.isPending) return <Loading rows={6} label="Loading the clone" />
  if (!clone.data) {
    return <Failure what="this clone" error={clone.error} onRetry={() => void clone.refetch()} />
  }
  return (
    <div className="space-y-6 pt-4">
      <Identity clone={clone.data} />
      <Record clone={clone.data} />
    </div>
  )
}

/** What it has done; asked for only where it can have done something. */
function Record({ clone }: { clone: PublicClone }) {
  const deployment = useQuery({
    ...deploymentQuery(clone.clone_id),
    enabled: clone.version !== null,
  })
  if (clone.version === null || deployment.data === null) {
    return <Empty title="No decision yet." />
  }
  return (
    <>
      <CloneEquity cloneId={clone.clone_id} />
      <Decisions cloneId={clone.clone_id} />
    </>
  )
}

function Identity({ clone }: { clone: PublicClone }) {
  const zone = useZone()
  const me = useMe()
  const [reporting, setReporting] = useState(false)
  return (
    <header className="flex flex-wrap items-start gap-4">
      <Avatar cloneId={clone.clone_id} size={72} />
      <div className="min-w-0 flex-1 basis-52">
        <h1 className="text-xl font-semibold break-words" data-testid="clone-title">
          {clone.name}
        </h1>
        <p className="text-sm text-muted">
          by {clone.owner_name} · since {formatDate(clone.created_ms, zone)}
          {clone.version !== null && ` · version ${clone.version}`}
        </p>
        {clone.bio && <p className="mt-1 break-words">{clone.bio}</p>}
        {clone.hidden && <p className="mt-1 text-sm text-warn">Its name is hidden by an operator.</p>}
        {clone.version !== null && <Trading cloneId={clone.clone_id} />}
        {clone.commitment && (
          <p
            className="figure mt-1 text-xs break-all text-muted"
            title="Fixes the strategy and tells nothing of it"
          >
            commitment {clone.commitment}
          </p>
        )}
      </div>
      <Button
        size="small"
        look="quiet"
        data-testid="report-clone"
        onClick={() => (me.data ? setReporting(true) : openDialog('sign_in'))}
      >
        Report…
      </Button>
      {reporting && <ReportDialog cloneId={clone.clone_id} onClose={() => setReporting(false)} />}
    </header>
  )
}

const WORDS = { running: 'trading', paused: 'paused', stopped: 'stopped' } as const

function Trading({ cloneId }: { cloneId: string }) {
  const zone = useZone()
  const { data } = useQuery(deploymentQuery(cloneId))
  if (data === undefined) return null
  if (data === null) return <p className="mt-1 text-sm text-muted">It has not traded yet.</p>
  const next = data.next_slot_ms === null ? '' : `, next decision ${formatTime(data.next_slot_ms, zone)}`
  return (
    <p className="mt-1 text-sm" data-testid="clone-trading" data-state={data.state}>
      <span className="text-accent">{WORDS[data.state]}</span>
      <span className="text-muted">
        {' '}
        version {data.version}
        {next}
      </span>
      {'account_id' in data && (
        <Link to="/studio/$id" params={{ id: cloneId }} className="ml-3 text-accent underline">
          Open in the studio
        </Link>
      )}
    </p>
  )
}

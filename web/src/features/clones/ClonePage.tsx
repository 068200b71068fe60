import { getRouteApi, Link } from '@tanstack/react-router'
import type { OwnerClone, PublicClone } from '@/api/clones'
import { Empty, Failure, Loading } from '@/ui/States'
import { CloneEquity } from './CloneEquity'
import { CloneHead } from './CloneHead'
import { Commitments } from './Commitments'
import { Decisions } from './Decisions'
import { Fills } from './Fills'
import { Usage } from './Usage'
import { useClone } from './useClone'

const route = getRouteApi('/clones/$id')

/** What everybody may know of a clone. Its owner is sent more about each decision, nobody else is. */
export function ClonePage() {
  const { id } = route.useParams()
  const { clone, own, isLive } = useClone(id)
  if (clone.isPending) return <Loading rows={6} label="Loading the clone" />
  if (!clone.data) {
    return <Failure what="this clone" error={clone.error} onRetry={() => void clone.refetch()} />
  }
  return (
    <div className="space-y-6 pt-4" data-testid="clone-page" data-live={isLive}>
      <CloneHead clone={clone.data} own={own ?? undefined} />
      {clone.data.deployment ? (
        <Record cloneId={clone.data.clone_id} own={own ?? undefined} isLive={isLive} />
      ) : (
        <Untraded clone={clone.data} isMine={Boolean(own)} />
      )}
      {clone.data.version !== null && (
        <Commitments cloneId={clone.data.clone_id} newest={clone.data.version} />
      )}
    </div>
  )
}

interface RecordProps {
  cloneId: string
  own: OwnerClone | undefined
  isLive: boolean
}

/** What it has done. */
function Record({ cloneId, own, isLive }: RecordProps) {
  return (
    <>
      <CloneEquity cloneId={cloneId} isLive={isLive} />
      <div className="grid items-start gap-x-8 gap-y-6 lg:grid-cols-[minmax(0,1fr)_360px]">
        <Decisions cloneId={cloneId} accountId={own?.deployment?.account_id} isLive={isLive} />
        <div className="min-w-0 space-y-6">
          {own && <Usage cloneId={cloneId} isLive={isLive} />}
          <Fills cloneId={cloneId} isLive={isLive} />
        </div>
      </div>
    </>
  )
}

/** Nothing was done yet, so nothing is asked for. */
function Untraded({ clone, isMine }: { clone: PublicClone; isMine: boolean }) {
  const published = clone.version !== null
  return (
    <div className="border-t border-line" data-testid="untraded">
      <Empty title={published ? 'It has not traded yet.' : 'It has no published strategy yet.'}>
        {isMine ? (
          <>
            <p>
              {published
                ? 'Give it an account, and it decides from the next slot on.'
                : 'Publish a version in the studio first.'}
            </p>
            <Link to="/studio/$id" params={{ id: clone.clone_id }} className="link text-accent">
              Open in the studio
            </Link>
          </>
        ) : (
          <p>Once it trades, its equity, its decisions and its fills are here.</p>
        )}
      </Empty>
    </div>
  )
}

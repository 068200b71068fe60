import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { directoryQuery } from '@/api/clones'
import { Button } from '@/ui/Button'
import { Empty, Failure, Loading } from '@/ui/States'
import { CloneCard } from './CloneCard'

/** Everybody's clones that have a published strategy, newest first. */
export function DirectoryPage() {
  const directory = useInfiniteQuery(directoryQuery)
  const clones = directory.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="space-y-4 pt-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h1 className="text-xl font-semibold">Clones</h1>
        <Link to="/studio" className="link text-sm text-accent">
          Build your own
        </Link>
      </div>
      {directory.isPending && <Loading rows={6} label="Loading clones" />}
      {directory.error && !directory.data && (
        <Failure what="clones" error={directory.error} onRetry={() => void directory.refetch()} />
      )}
      {directory.data && clones.length === 0 && (
        <Empty title="Nobody has published a clone yet.">
          <p>A clone decides by rules or by a language model and trades an account of its own.</p>
        </Empty>
      )}
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3" data-testid="directory">
        {clones.map((clone) => (
          <CloneCard key={clone.clone_id} clone={clone} />
        ))}
      </ul>
      {directory.hasNextPage && (
        <Button disabled={directory.isFetchingNextPage} onClick={() => void directory.fetchNextPage()}>
          {directory.isFetchingNextPage ? 'Loading…' : 'More clones'}
        </Button>
      )}
    </div>
  )
}

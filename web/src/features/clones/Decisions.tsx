import { useInfiniteQuery } from '@tanstack/react-query'
import { Button } from '@/ui/Button'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { decisionsQuery } from './api'
import { DecisionCard } from './DecisionCard'
import { runsOf } from './feed'

/** Every decision, also those that changed nothing and those that failed. */
export function Decisions({ cloneId }: { cloneId: string }) {
  const feed = useInfiniteQuery(decisionsQuery(cloneId))
  const runs = runsOf(feed.data?.pages ?? [])
  return (
    <Panel title="Decisions" aside={<span className="text-xs text-muted">newest first</span>}>
      {feed.isPending && <Loading rows={4} label="Loading decisions" />}
      {feed.error && <Failure what="decisions" error={feed.error} onRetry={() => void feed.refetch()} />}
      {feed.data && runs.length === 0 && <Empty title="No decision yet." />}
      <ol>
        {runs.map((run) => (
          <DecisionCard key={run.run_id} run={run} />
        ))}
      </ol>
      {feed.hasNextPage && (
        <Button className="mt-3" disabled={feed.isFetchingNextPage} onClick={() => void feed.fetchNextPage()}>
          {feed.isFetchingNextPage ? 'Loading…' : 'Older decisions'}
        </Button>
      )}
    </Panel>
  )
}

import { useInfiniteQuery } from '@tanstack/react-query'
import { decisionsQuery } from '@/api/clones'
import { Button } from '@/ui/Button'
import { Panel } from '@/ui/Panel'
import { Empty, Failure, Loading } from '@/ui/States'
import { DecisionCard } from './DecisionCard'
import { runsOf } from './feed'

/** While the socket does not tell: a decision comes at most once a minute. */
const POLL_MS = 5_000

interface Props {
  cloneId: string
  /** Known to the owner alone. */
  accountId: string | undefined
  isLive: boolean
}

/** Every decision, also those that changed nothing and those that failed. */
export function Decisions({ cloneId, accountId, isLive }: Props) {
  const feed = useInfiniteQuery({ ...decisionsQuery(cloneId), refetchInterval: isLive ? false : POLL_MS })
  const runs = runsOf(feed.data?.pages ?? [])
  return (
    <Panel title="Decisions" aside={<span className="text-xs text-muted">newest first</span>}>
      {feed.isPending && <Loading rows={4} label="Loading decisions" />}
      {feed.error && <Failure what="decisions" error={feed.error} onRetry={() => void feed.refetch()} />}
      {feed.data && runs.length === 0 && (
        <Empty title="No decision yet.">
          <p>The first one comes with the next slot.</p>
        </Empty>
      )}
      <ol>
        {runs.map((run) => (
          <DecisionCard key={run.run_id} run={run} accountId={accountId} />
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

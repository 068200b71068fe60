/** Joins what the socket tells of clones and backtests to the query cache, and says what is told live. */
import type { DataTag, QueryKey } from '@tanstack/react-query'
import { useEffect } from 'react'
import { create } from 'zustand'
import { backtestsQuery } from '@/api/backtests'
import {
  cloneQuery,
  decisionsQuery,
  equityQuery,
  fillsQuery,
  isOwnerRun,
  myClonesQuery,
  ownCloneQuery,
  usageQuery,
} from '@/api/clones'
import { queryClient } from '@/api/queries'
import { type Channel, Follows, followKey } from './follows'
import type { SubjectFrame, SubscribedFrame } from './frames'
import { withBacktest, withFill, withMark, withRun } from './told'

const useLive = create<{ keys: ReadonlySet<string> }>(() => ({ keys: new Set() }))
let follows: Follows | undefined

/** Who follows what over this socket. */
export function subjectsFor(send: (message: Record<string, unknown>) => void): Follows {
  follows = new Follows({ send, onLive: (keys) => useLive.setState({ keys }) })
  return follows
}

/** Follow clones or backtests while mounted. Returns those that the socket tells of now: the others are asked for. */
export function useFollowed(channel: Channel, ids: readonly string[]): ReadonlySet<string> {
  const wanted = ids.join(' ')
  useEffect(() => {
    const leave = wanted === '' ? [] : wanted.split(' ').map((id) => follows?.follow(channel, id))
    return () => {
      for (const one of leave) one?.()
    }
  }, [channel, wanted])
  const { keys } = useLive()
  return new Set(ids.filter((id) => keys.has(followKey(channel, id))))
}

/** Subscribed, for the first time or again: what happened before is fetched, what happens from now on is told. */
export function onSubscribed(frame: SubscribedFrame) {
  const followed = follows?.answered(frame.id)
  if (!followed) return
  if (followed.channel === 'clone') {
    const { id } = followed
    return refetch([cloneQuery(id), decisionsQuery(id), equityQuery(id), fillsQuery(id)])
  }
  if (frame.backtest)
    onSubject({ type: 'backtest_progress', backtest_id: followed.id, backtest: frame.backtest })
}

export function onSubject(frame: SubjectFrame) {
  switch (frame.type) {
    case 'clone_decision':
      patch(decisionsQuery(frame.clone_id).queryKey, (known) => withRun(known, frame.decision))
      // Reasons are never told: its owner asks for them.
      if (isOwnerRun(frame.decision)) refetch([decisionsQuery(frame.clone_id)])
      // What holding was worth meanwhile, and what the decision took, is the server's to say.
      return refetch([equityQuery(frame.clone_id), usageQuery(frame.clone_id)])
    case 'clone_fill': {
      const { type: _, clone_id, order_id: __, ...fill } = frame
      patch(fillsQuery(clone_id).queryKey, (known) => withFill(known, fill))
      return refetch([equityQuery(clone_id)])
    }
    case 'clone_equity':
      return patch(equityQuery(frame.clone_id).queryKey, (known) => withMark(known, frame))
    case 'clone_published':
    case 'clone_profile':
      return refetch([cloneQuery(frame.clone_id)])
    case 'clone_deployment':
      // Deployed anew it has another account.
      refetch([equityQuery(frame.clone_id), fillsQuery(frame.clone_id)])
      return refetchDeployment(frame.clone_id, { isMine: frame.account_id !== undefined })
    case 'clone_account':
      return refetchDeployment(frame.clone_id, { isMine: frame.reason !== undefined })
    case 'backtest_progress':
      return patch(backtestsQuery.queryKey, (known) => withBacktest(known, frame.backtest))
  }
}

/** Of their own, a person also has the form that only the owner sees. */
function refetchDeployment(cloneId: string, { isMine }: { isMine: boolean }) {
  refetch([cloneQuery(cloneId)])
  if (isMine) refetch([myClonesQuery, ownCloneQuery(cloneId)])
}

function refetch(queries: readonly { queryKey: QueryKey }[]) {
  for (const { queryKey } of queries) void queryClient.invalidateQueries({ queryKey })
}

/**
 * Change what is known. An answer that is on its way may have been made before what is told now, and a change that
 * cannot be made needs an answer, too: then it is asked for again.
 */
function patch<T>(
  queryKey: DataTag<QueryKey, T, Error>,
  change: (known: NoInfer<T>) => NoInfer<T> | undefined,
) {
  const known = queryClient.getQueryData<T>(queryKey)
  const next = known === undefined || queryClient.isFetching({ queryKey }) > 0 ? undefined : change(known)
  if (next === undefined) return void queryClient.invalidateQueries({ queryKey })
  queryClient.setQueryData(queryKey, next)
}

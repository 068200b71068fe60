import { useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { askAgain } from '@/api/again'
import { MARKETS_POLL_MS, polledMarketsQuery, useAccount, useMe } from '@/api/queries'
import { putMarkets } from '@/live/prices'
import { useStatus } from '@/live/status'
import { followAccount, startStream } from '@/live/stream'

/** Where prices come from: the socket for who is signed in, polling for who is not. */
export function LiveSources() {
  const me = useMe()
  return me.data ? <Streamed key={me.data.user_id} /> : <Polled />
}

function Streamed() {
  const { account } = useAccount()
  const open = useStatus((one) => one.phase.name === 'open')
  useEffect(() => startStream(), [])
  useEffect(() => {
    if (open && account) followAccount(account)
  }, [open, account])
  return null
}

function Polled() {
  const { data, dataUpdatedAt, isError, errorUpdatedAt } = useQuery(polledMarketsQuery)
  useEffect(() => {
    if (data) putMarkets(data, dataUpdatedAt, MARKETS_POLL_MS)
  }, [data, dataUpdatedAt])
  useEffect(() => {
    const { attempt } = useStatus.getState().polled
    if (isError) {
      const retryAtMs = errorUpdatedAt + MARKETS_POLL_MS
      useStatus.setState({ polled: { lastMs: dataUpdatedAt, attempt: attempt + 1, retryAtMs } })
    } else if (dataUpdatedAt > 0) {
      useStatus.setState({ polled: { lastMs: dataUpdatedAt, attempt: 0, retryAtMs: 0 } })
      if (attempt > 0) askAgain()
    }
  }, [dataUpdatedAt, isError, errorUpdatedAt])
  return null
}

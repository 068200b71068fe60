import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { configQuery } from '@/api/queries'
import { type Freshness, freshnessAt, type Tick } from '@/lib/freshness'
import { formatAge } from '@/lib/time'
import type { Shown } from '@/live/connection'
import { useTicks } from '@/live/prices'
import { useConnection, useNow } from '@/live/status'
import { retryNow } from '@/live/stream'
import { Button } from '@/ui/Button'
import { FeedBadge } from '@/ui/FeedBadge'

/** The market of the page, or the freshest one where the page has none. */
function useShownTick(): Tick | undefined {
  const ticks = useTicks()
  const { market } = useSearch({ strict: false })
  if (market && ticks.has(market)) return ticks.get(market)
  const nowMs = Date.now()
  const age = (tick: Tick) => freshnessAt(tick, nowMs).ageMs ?? Number.POSITIVE_INFINITY
  return [...ticks.values()].sort((a, b) => age(a) - age(b))[0]
}

/** Feed name and price age, on every page. The price knows best what it is; then the server is asked for its name. */
export function Feed() {
  const { data, refetch } = useQuery(configQuery)
  const tick = useShownTick()
  const freshness = freshnessAt(tick, useNow())
  const named = data?.feed.kind
  const kind = tick?.feed ?? named
  useEffect(() => {
    if (named && kind !== named) void refetch()
  }, [kind, named, refetch])
  const label = kind === named ? data?.feed.label : kind?.toUpperCase()
  return <FeedBadge label={label ?? '…'} kind={kind} freshness={freshness} />
}

type State = Shown['state'] | 'stale'

const WORDS: Record<State, string> = {
  connecting: 'Connecting',
  live: 'Live',
  delayed: 'Delayed',
  stale: 'Stale',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
}

/** The connection and the price it carries as one word. A healthy socket with an old price is not "live". */
export function combine(connection: Shown, freshness: Freshness): State {
  if (connection.state !== 'live' && connection.state !== 'delayed') return connection.state
  if (freshness.state === 'stale') return 'stale'
  return connection.state === 'delayed' || freshness.state === 'delayed' ? 'delayed' : 'live'
}

export function ConnectionState() {
  const connection = useConnection()
  const state = combine(connection, freshnessAt(useShownTick(), useNow()))
  const good = state === 'live'
  return (
    <span
      data-testid="connection-state"
      data-state={state}
      title={WORDS[state]}
      className="flex items-center gap-2 text-xs"
    >
      <span
        aria-hidden="true"
        className={`size-2 ${good ? 'bg-accent' : state === 'connecting' ? 'border border-input' : 'border-2 border-warn'}`}
      />
      <span className={`sr-only lg:not-sr-only ${good ? 'text-muted' : 'text-warn'}`}>{WORDS[state]}</span>
    </span>
  )
}

/** Below the header while something is wrong with the connection. */
export function ConnectionNotice() {
  const connection = useConnection()
  const heard = useTicks().size > 0
  const text = noticeOf(connection, heard)
  if (!text) return null
  return (
    <div data-testid="connection-notice" className="border-t border-warn bg-surface">
      <div className="mx-auto flex max-w-[1400px] items-center justify-between gap-3 px-3 py-1 text-sm sm:px-6">
        <p>{text}</p>
        {connection.state === 'reconnecting' && (
          <Button size="small" onClick={retryNow} data-testid="retry-now">
            Retry now
          </Button>
        )}
      </div>
    </div>
  )
}

function noticeOf(connection: Shown, heard: boolean): string | undefined {
  const shown = heard ? ' What you see is the last that was heard.' : ''
  switch (connection.state) {
    case 'offline':
      return `You are offline.${shown}`
    case 'delayed':
      return `Connected, but nothing was heard for ${formatAge(connection.silentMs)}.`
    case 'reconnecting': {
      const when =
        connection.retryInMs > 0 ? `next try in ${Math.ceil(connection.retryInMs / 1_000)} s` : 'trying now'
      const what = heard ? 'Connection lost.' : 'The server does not answer.'
      return `${what} Attempt ${connection.attempt}, ${when}.${shown}`
    }
    default:
      return undefined
  }
}

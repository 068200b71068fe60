import { freshnessAt } from '@/lib/freshness'
import { useTick } from '@/live/prices'
import { useConnection, useNow } from '@/live/status'

/** Says that a price cannot be traded on, and why. Hatched, so that it needs no colour to be seen. */
export function StaleBanner({ market }: { market: string }) {
  const tick = useTick(market)
  const freshness = freshnessAt(tick, useNow())
  const connection = useConnection()
  const away =
    connection.state === 'reconnecting' || connection.state === 'offline' || connection.state === 'connecting'
  if (freshness.state !== 'stale' || (away && tick === undefined)) return null
  return (
    <div data-testid="stale-banner" className="hatched mb-3 border border-warn px-3 py-2">
      <span className="font-semibold text-warn">Stale price.</span> {freshness.reason} Orders are disabled
      until a fresh price arrives.
    </div>
  )
}

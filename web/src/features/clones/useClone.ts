/** One clone on a page: as everybody sees it, as its owner does, and whether the socket tells what happens. */
import { useQuery } from '@tanstack/react-query'
import { cloneQuery, myClonesQuery, type OwnerClone, type PublicDeployment } from '@/api/clones'
import { useMe } from '@/api/queries'
import { nextSlotMs } from '@/lib/slots'
import { useNow } from '@/live/status'
import { useFollowed } from '@/live/subjects'
import { tradingOf } from './trading'

const POLL_MS = 15_000

/** The clone if it is this person's; null if it is somebody else's. Asks for nothing that may not be there. */
export function useOwnClone(cloneId: string): OwnerClone | null | undefined {
  const me = useMe()
  const mine = useQuery({ ...myClonesQuery, enabled: Boolean(me.data) })
  if (me.data === null) return null
  return mine.data && (mine.data.find((one) => one.clone_id === cloneId) ?? null)
}

/** `isLive` is whether decisions, fills, equity and whether it trades are told by the socket: then nothing is asked for again. */
export function useClone(cloneId: string) {
  const isLive = useFollowed('clone', [cloneId]).has(cloneId)
  const clone = useQuery({ ...cloneQuery(cloneId), refetchInterval: isLive ? false : POLL_MS })
  return { clone, own: useOwnClone(cloneId), isLive }
}

/** When a clone decides next; null while it does not trade. */
export function useNextSlot(deployment: PublicDeployment): number | null {
  const nowMs = useNow(1_000)
  return tradingOf(deployment) === 'running' ? nextSlotMs(nowMs, deployment.cadence_s) : null
}

/** One clone on a page: as everybody sees it, as its owner does, and whether the socket tells what happens. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { cloneQuery, myClonesQuery, type OwnerClone, type PublicDeployment } from '@/api/clones'
import { useMe } from '@/api/queries'
import { nextSlotMs } from '@/lib/slots'
import { useNow } from '@/live/status'
import { useFollowed } from '@/live/subjects'

const POLL_MS = 15_000
/** How long after a slot a clone that still runs has begun to decide. */
const SLOT_GRACE_MS = 10_000

/** The clone if it is this person's; null if it is somebody else's. Asks for nothing that may not be there. */
export function useOwnClone(cloneId: string): OwnerClone | null | undefined {
  const me = useMe()
  const mine = useQuery({ ...myClonesQuery, enabled: Boolean(me.data) })
  if (me.data === null) return null
  return mine.data && (mine.data.find((one) => one.clone_id === cloneId) ?? null)
}

/** `isLive` is whether decisions, fills and equity are told by the socket: then nothing is asked for again. */
export function useClone(cloneId: string) {
  const isLive = useFollowed('clone', [cloneId]).has(cloneId)
  const clone = useQuery({ ...cloneQuery(cloneId), refetchInterval: isLive ? false : POLL_MS })
  return { clone, own: useOwnClone(cloneId), isLive }
}

/** When a running clone decides next. After each slot the server is asked whether it still runs. */
export function useNextSlot(deployment: PublicDeployment): number | null {
  const client = useQueryClient()
  const nowMs = useNow(1_000)
  const runs = deployment.next_slot_ms !== null
  const next = runs ? nextSlotMs(nowMs, deployment.cadence_s) : null
  useEffect(() => {
    if (next === null) return
    const { queryKey } = cloneQuery(deployment.clone_id)
    const timer = setTimeout(
      () => void client.invalidateQueries({ queryKey }),
      next - Date.now() + SLOT_GRACE_MS,
    )
    return () => clearTimeout(timer)
  }, [client, next, deployment.clone_id])
  return next
}

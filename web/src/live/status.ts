/** What the page knows about its connection, for the components that show it. */
import { useEffect, useState } from 'react'
import { create } from 'zustand'
import { type Phase, type Polled, type Shown, shownPolled, shownState } from './connection'

const SHOW_EVERY_MS = 250

interface Status {
  phase: Phase
  /** Whether a socket is wanted: only people who are signed in have one. Others poll. */
  wanted: boolean
  polled: Polled
}

export const useStatus = create<Status>(() => ({
  phase: { name: 'idle' },
  wanted: false,
  polled: { lastMs: 0, attempt: 0, retryAtMs: 0 },
}))

/** A clock for ages and countdowns: renders four times a second while mounted. */
export function useNow(everyMs = SHOW_EVERY_MS): number {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return nowMs
}

/** The state of the connection as shown now. */
export function useConnection(): Shown {
  const nowMs = useNow()
  const { phase, wanted, polled } = useStatus()
  if (wanted) return shownState(phase, nowMs)
  return navigator.onLine ? shownPolled(polled, nowMs) : { state: 'offline' }
}

/** Whether what the page shows is the last that was heard, and nothing new can come. */
export function useCutOff(): boolean {
  const { state } = useConnection()
  return state === 'reconnecting' || state === 'offline'
}

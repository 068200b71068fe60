/** The state of the one socket as a pure machine: events in, next state and effects out. No clock, no socket. */

export const SILENT_MS = 3_000
export const PING_AFTER_MS = 5_000
export const DEAD_MS = 12_000
export const HANDSHAKE_MS = 8_000
export const BACKOFF_FIRST_MS = 500
export const BACKOFF_MAX_MS = 15_000
/** A timer that wakes this much too late was asleep. */
export const SLEEP_MS = 10_000

export const CLOSE_SESSION_REVOKED = 4003

export type Phase =
  | { name: 'idle' }
  /** Attempt 0 is the first of all; later ones count from 1 after each loss. */
  | { name: 'connecting'; attempt: number; sinceMs: number }
  | { name: 'open'; lastMessageMs: number; pingedMs: number; tickMs: number }
  | { name: 'waiting'; attempt: number; retryAtMs: number }
  | { name: 'offline' }

export type Event =
  | { type: 'start'; nowMs: number }
  | { type: 'stop' }
  | { type: 'ready'; nowMs: number }
  | { type: 'message'; nowMs: number }
  | { type: 'closed'; nowMs: number; code: number; jitter: number }
  | { type: 'tick'; nowMs: number; jitter: number }
  | { type: 'retry'; nowMs: number }
  | { type: 'wake'; nowMs: number }
  | { type: 'offline' }
  | { type: 'online'; nowMs: number }

export type Effect = 'connect' | 'disconnect' | 'ping' | 'snapshot' | 'session_ended'

export interface Step {
  phase: Phase
  effects: Effect[]
}

/** Exponential backoff; `jitter` in [0, 1) spreads clients over the second half of the delay. */
export function backoffMs(attempt: number, jitter: number): number {
  const full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(attempt - 1, 10))
  return Math.round(full / 2 + (full / 2) * jitter)
}

/** What follows from an event. `ready` means authenticated: only then does the socket count as open. */
export function step(phase: Phase, event: Event): Step {
  switch (event.type) {
    case 'stop':
      return { phase: { name: 'idle' }, effects: phase.name === 'idle' ? [] : ['disconnect'] }
    case 'start':
      return phase.name === 'idle' ? connect(0, event.nowMs) : stay(phase)
    case 'offline':
      return phase.name === 'idle' ? stay(phase) : { phase: { name: 'offline' }, effects: ['disconnect'] }
    case 'online':
      return phase.name === 'offline' ? connect(1, event.nowMs) : stay(phase)
    case 'retry':
      return phase.name === 'waiting' || phase.name === 'offline'
        ? connect(attemptOf(phase), event.nowMs)
        : stay(phase)
    case 'ready':
      return phase.name === 'connecting' ? opened(event.nowMs) : stay(phase)
    case 'message':
      return phase.name === 'open' ? stay({ ...phase, lastMessageMs: event.nowMs }) : stay(phase)
    case 'closed':
      return closed(phase, event)
    case 'wake':
      return wake(phase, event.nowMs)
    case 'tick':
      return tick(phase, event)
  }
}

function stay(phase: Phase): Step {
  return { phase, effects: [] }
}

function connect(attempt: number, nowMs: number): Step {
  return { phase: { name: 'connecting', attempt, sinceMs: nowMs }, effects: ['connect'] }
}

function opened(nowMs: number): Step {
  return {
    phase: { name: 'open', lastMessageMs: nowMs, pingedMs: nowMs, tickMs: nowMs },
    effects: ['snapshot'],
  }
}

function attemptOf(phase: Phase): number {
  return phase.name === 'connecting' || phase.name === 'waiting' ? phase.attempt : 1
}

function wait(attempt: number, nowMs: number, jitter: number, effects: Effect[]): Step {
  return { phase: { name: 'waiting', attempt, retryAtMs: nowMs + backoffMs(attempt, jitter) }, effects }
}

function closed(phase: Phase, event: Extract<Event, { type: 'closed' }>): Step {
  if (event.code === CLOSE_SESSION_REVOKED) return { phase: { name: 'idle' }, effects: ['session_ended'] }
  if (phase.name === 'connecting') return wait(phase.attempt + 1, event.nowMs, event.jitter, [])
  if (phase.name === 'open') return wait(1, event.nowMs, event.jitter, [])
  return stay(phase)
}

function wake(phase: Phase, nowMs: number): Step {
  if (phase.name === 'waiting' || phase.name === 'offline') return connect(1, nowMs)
  if (phase.name !== 'open') return stay(phase)
  if (nowMs - phase.lastMessageMs <= SILENT_MS)
    return { phase: { ...phase, tickMs: nowMs }, effects: ['snapshot'] }
  return { phase: { name: 'connecting', attempt: 1, sinceMs: nowMs }, effects: ['disconnect', 'connect'] }
}

function tick(phase: Phase, { nowMs, jitter }: Extract<Event, { type: 'tick' }>): Step {
  if (phase.name === 'waiting' && nowMs >= phase.retryAtMs) return connect(phase.attempt, nowMs)
  if (phase.name === 'connecting' && nowMs - phase.sinceMs > HANDSHAKE_MS) {
    return wait(phase.attempt + 1, nowMs, jitter, ['disconnect'])
  }
  if (phase.name !== 'open') return stay(phase)
  if (nowMs - phase.tickMs > SLEEP_MS) return wake(phase, nowMs)

  const ticked = { ...phase, tickMs: nowMs }
  const silentMs = nowMs - phase.lastMessageMs
  if (silentMs > DEAD_MS) return wait(1, nowMs, jitter, ['disconnect'])
  if (silentMs >= PING_AFTER_MS && nowMs - phase.pingedMs >= PING_AFTER_MS) {
    return { phase: { ...ticked, pingedMs: nowMs }, effects: ['ping'] }
  }
  return stay(ticked)
}

export type Shown =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'delayed'; silentMs: number }
  | { state: 'reconnecting'; attempt: number; retryInMs: number }
  | { state: 'offline' }

/** What the person is told. An open but silent socket is delayed, whatever the browser thinks of it. */
export function shownState(phase: Phase, nowMs: number): Shown {
  switch (phase.name) {
    case 'idle':
      return { state: 'connecting' }
    case 'connecting':
      return phase.attempt === 0
        ? { state: 'connecting' }
        : { state: 'reconnecting', attempt: phase.attempt, retryInMs: 0 }
    case 'waiting':
      return {
        state: 'reconnecting',
        attempt: phase.attempt,
        retryInMs: Math.max(0, phase.retryAtMs - nowMs),
      }
    case 'offline':
      return { state: 'offline' }
    case 'open': {
      const silentMs = nowMs - phase.lastMessageMs
      return silentMs > SILENT_MS ? { state: 'delayed', silentMs } : { state: 'live' }
    }
  }
}

/** The questions of a page without a socket: when one was answered, how many in a row were not, when the next is asked. */
export interface Polled {
  lastMs: number
  attempt: number
  retryAtMs: number
}

/** The same words for a page that asks now and then. */
export function shownPolled({ lastMs, attempt, retryAtMs }: Polled, nowMs: number): Shown {
  if (attempt > 0) return { state: 'reconnecting', attempt, retryInMs: Math.max(0, retryAtMs - nowMs) }
  return { state: lastMs === 0 ? 'connecting' : 'live' }
}

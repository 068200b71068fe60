import { describe, expect, test } from 'vitest'
import {
  BACKOFF_MAX_MS,
  backoffMs,
  DEAD_MS,
  type Event,
  HANDSHAKE_MS,
  type Phase,
  PING_AFTER_MS,
  SILENT_MS,
  shownPolled,
  shownState,
  step,
} from './connection'

const IDLE: Phase = { name: 'idle' }
const openAt = (nowMs: number): Phase => ({
  name: 'open',
  lastMessageMs: nowMs,
  pingedMs: nowMs,
  tickMs: nowMs,
})

/** Run events from a phase and return the last step. */
function run(phase: Phase, ...events: Event[]) {
  let last = { phase, effects: [] as string[] }
  for (const event of events) last = step(last.phase, event)
  return last
}

describe('connecting', () => {
  test('starting connects once, and only authentication makes the socket open', () => {
    const started = run(IDLE, { type: 'start', nowMs: 0 })
    expect(started.effects).toEqual(['connect'])
    expect(step(started.phase, { type: 'start', nowMs: 1 }).effects).toEqual([])
    expect(shownState(started.phase, 0)).toEqual({ state: 'connecting' })

    const ready = step(started.phase, { type: 'ready', nowMs: 50 })
    expect(ready.effects).toEqual(['snapshot'])
    expect(shownState(ready.phase, 50)).toEqual({ state: 'live' })
  })

  test('a handshake that never ends is given up and tried again', () => {
    const late = run(IDLE, { type: 'start', nowMs: 0 }, { type: 'tick', nowMs: HANDSHAKE_MS + 1, jitter: 0 })
    expect(late.effects).toEqual(['disconnect'])
    expect(late.phase).toMatchObject({ name: 'waiting', attempt: 1 })
  })

  test('failed attempts count up and wait longer, within the limit', () => {
    let phase: Phase = { name: 'connecting', attempt: 0, sinceMs: 0 }
    for (let attempt = 1; attempt < 6; attempt += 1) {
      phase = step(phase, { type: 'closed', nowMs: 0, code: 1006, jitter: 0 }).phase
      expect(phase).toMatchObject({ name: 'waiting', attempt })
      phase = step(phase, { type: 'tick', nowMs: 60_000, jitter: 0 }).phase
      expect(phase).toMatchObject({ name: 'connecting', attempt })
    }
    expect([1, 2, 3].map((n) => backoffMs(n, 0))).toEqual([250, 500, 1000])
    expect(backoffMs(500, 0.999)).toBeLessThanOrEqual(BACKOFF_MAX_MS)
  })
})

describe('silence', () => {
  test('an open but silent socket is delayed, then pinged, then replaced', () => {
    let phase = openAt(0)
    expect(shownState(phase, SILENT_MS)).toEqual({ state: 'live' })
    expect(shownState(phase, SILENT_MS + 1)).toEqual({ state: 'delayed', silentMs: SILENT_MS + 1 })

    const pings: number[] = []
    for (let nowMs = 1_000; nowMs <= DEAD_MS; nowMs += 1_000) {
      const stepped = step(phase, { type: 'tick', nowMs, jitter: 0 })
      if (stepped.effects.includes('ping')) pings.push(nowMs)
      phase = stepped.phase
    }
    expect(pings).toEqual([PING_AFTER_MS, 2 * PING_AFTER_MS])
    const dead = step(phase, { type: 'tick', nowMs: DEAD_MS + 1, jitter: 0 })
    expect(dead.effects).toEqual(['disconnect'])
    expect(shownState(dead.phase, DEAD_MS + 1)).toMatchObject({ state: 'reconnecting', attempt: 1 })
  })

  test('any message ends the silence', () => {
    const phase = step(openAt(0), { type: 'message', nowMs: 9_000 }).phase
    expect(shownState(phase, 9_100)).toEqual({ state: 'live' })
  })
})

describe('losing and finding the connection', () => {
  test('a dropped socket retries after the wait, or at once when asked to', () => {
    const dropped = step(openAt(0), { type: 'closed', nowMs: 100, code: 1012, jitter: 0 })
    expect(shownState(dropped.phase, 100)).toEqual({ state: 'reconnecting', attempt: 1, retryInMs: 250 })
    expect(step(dropped.phase, { type: 'tick', nowMs: 200, jitter: 0 }).effects).toEqual([])
    expect(step(dropped.phase, { type: 'retry', nowMs: 120 }).effects).toEqual(['connect'])
    expect(step(dropped.phase, { type: 'tick', nowMs: 350, jitter: 0 }).effects).toEqual(['connect'])
  })

  test('while trying again it says reconnecting, not connecting', () => {
    const again = run(
      openAt(0),
      { type: 'closed', nowMs: 0, code: 1006, jitter: 0 },
      { type: 'retry', nowMs: 5 },
    )
    expect(shownState(again.phase, 5)).toEqual({ state: 'reconnecting', attempt: 1, retryInMs: 0 })
  })

  test('offline stops trying and online starts again', () => {
    const offline = step(openAt(0), { type: 'offline' })
    expect(offline.effects).toEqual(['disconnect'])
    expect(shownState(offline.phase, 0)).toEqual({ state: 'offline' })
    expect(step(offline.phase, { type: 'tick', nowMs: 99_999, jitter: 0 }).effects).toEqual([])
    expect(step(offline.phase, { type: 'online', nowMs: 1 }).effects).toEqual(['connect'])
  })

  test('a revoked session ends it for good', () => {
    const ended = step(openAt(0), { type: 'closed', nowMs: 1, code: 4003, jitter: 0 })
    expect(ended).toEqual({ phase: { name: 'idle' }, effects: ['session_ended'] })
  })

  test('the close of a socket that was already given up changes nothing', () => {
    const waiting: Phase = { name: 'waiting', attempt: 3, retryAtMs: 10 }
    expect(step(waiting, { type: 'closed', nowMs: 5, code: 1006, jitter: 0 })).toEqual({
      phase: waiting,
      effects: [],
    })
  })
})

describe('waking up', () => {
  test('a short sleep takes a snapshot; a long one takes a new socket first', () => {
    expect(step(openAt(0), { type: 'wake', nowMs: 1_000 }).effects).toEqual(['snapshot'])
    expect(step(openAt(0), { type: 'wake', nowMs: 60_000 }).effects).toEqual(['disconnect', 'connect'])
  })

  test('a timer that comes far too late counts as waking up', () => {
    expect(step(openAt(0), { type: 'tick', nowMs: 3_600_000, jitter: 0 }).effects).toEqual([
      'disconnect',
      'connect',
    ])
  })

  test('one sleep takes one snapshot', () => {
    const dozing: Phase = { name: 'open', lastMessageMs: 59_000, pingedMs: 0, tickMs: 0 }
    const woken = step(dozing, { type: 'tick', nowMs: 60_000, jitter: 0 })
    expect(woken.effects).toEqual(['snapshot'])
    expect(step(woken.phase, { type: 'tick', nowMs: 61_000, jitter: 0 }).effects).toEqual([])
  })

  test('waking while waiting tries at once', () => {
    expect(step({ name: 'waiting', attempt: 7, retryAtMs: 9e9 }, { type: 'wake', nowMs: 1 }).effects).toEqual(
      ['connect'],
    )
  })
})

test('a page without a socket counts the questions that were not answered', () => {
  expect(shownPolled({ lastMs: 0, attempt: 0, retryAtMs: 0 }, 5)).toEqual({ state: 'connecting' })
  expect(shownPolled({ lastMs: 3, attempt: 0, retryAtMs: 0 }, 5)).toEqual({ state: 'live' })
  expect(shownPolled({ lastMs: 3, attempt: 2, retryAtMs: 2_000 }, 500)).toEqual({
    state: 'reconnecting',
    attempt: 2,
    retryInMs: 1_500,
  })
  expect(shownPolled({ lastMs: 0, attempt: 1, retryAtMs: 100 }, 500)).toMatchObject({ retryInMs: 0 })
})

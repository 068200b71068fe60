/** Whether a price may still be traded on: a pure reading of its age and its market's state. */
import { formatAge } from './time'

/** From here the age is shown in amber. */
export const DELAYED_AGE_MS = 2_000
/** From here the server refuses orders as PRICE_STALE. */
export const STALE_AGE_MS = 3_000

export interface Tick {
  market: string
  price: string | null
  state: 'open' | 'halted'
  haltReason: string | null
  /** Age the server reported, and when this page heard of it on its own clock. */
  ageMs: number
  heardMs: number
  /** How long after `heardMs` this page itself chose not to ask again: 0 where prices are streamed. */
  pausedMs: number
  chartMs: number
  source: string | null
  feed: string | null
}

export type Freshness =
  | { state: 'live' | 'delayed'; ageMs: number; reason?: undefined }
  | { state: 'stale'; ageMs: number | undefined; reason: string }

const HALT_REASONS: Record<string, string> = {
  NO_PRICE: 'No price has arrived yet.',
  FEED_SILENT: 'The price feed is silent.',
  QUARANTINE_JUMP: 'The price jumped too far at once and is being checked.',
  SOURCES_DISAGREE: 'The price sources disagree.',
  CLOCK_SKEW: 'The clock of the price source is off.',
  QUOTE_DEPEG: 'USDC is off its peg.',
}

/** A halt reason in words; an unknown one is shown as it came. */
export function haltText(reason: string | null | undefined): string {
  return reason ? (HALT_REASONS[reason] ?? reason) : 'The market is halted.'
}

/** The age of a tick now: what the server said plus what has passed here since. */
export function ageAt(tick: Tick, nowMs: number): number {
  return tick.ageMs + Math.max(0, nowMs - tick.heardMs)
}

/**
 * Whether a price is live. Its age is always the whole truth; what is judged is the feed, so the pause of a page that
 * asks only now and then counts against nobody.
 */
export function freshnessAt(tick: Tick | undefined, nowMs: number): Freshness {
  if (tick === undefined || tick.price === null) {
    return { state: 'stale', ageMs: undefined, reason: haltText(tick?.haltReason ?? 'NO_PRICE') }
  }
  const ageMs = ageAt(tick, nowMs)
  if (tick.state === 'halted') return { state: 'stale', ageMs, reason: haltText(tick.haltReason) }
  const judgedMs = Math.max(tick.ageMs, ageMs - tick.pausedMs)
  if (judgedMs > STALE_AGE_MS) {
    return {
      state: 'stale',
      ageMs,
      reason: `The last price is ${formatAge(ageMs)} old; orders need one under 3 s.`,
    }
  }
  return { state: judgedMs > DELAYED_AGE_MS ? 'delayed' : 'live', ageMs }
}

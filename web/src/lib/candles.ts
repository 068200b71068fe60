/** Candles for drawing. Prices become numbers here and only here: a chart is drawn in pixels. */
import { DAY_MS, HOUR_MS, MINUTE_MS } from './time'

export const INTERVALS = ['1m', '5m', '1h', '1d'] as const
export type Interval = (typeof INTERVALS)[number]

export const INTERVAL_MS: Record<Interval, number> = {
  '1m': MINUTE_MS,
  '5m': 5 * MINUTE_MS,
  '1h': HOUR_MS,
  '1d': DAY_MS,
}

export interface Bar {
  openMs: number
  open: number
  high: number
  low: number
  close: number
}

interface WireCandle {
  open_ms: number
  open: string
  high: string
  low: string
  close: string
}

/** The server lists candles newest first; a chart wants them oldest first and without duplicates. */
export function barsOf(candles: readonly WireCandle[]): Bar[] {
  const bars: Bar[] = []
  for (const candle of [...candles].sort((a, b) => a.open_ms - b.open_ms)) {
    const bar = {
      openMs: candle.open_ms,
      open: Number(candle.open),
      high: Number(candle.high),
      low: Number(candle.low),
      close: Number(candle.close),
    }
    if (bars.at(-1)?.openMs === bar.openMs) bars[bars.length - 1] = bar
    else bars.push(bar)
  }
  return bars
}

export type Folded = { kind: 'changed' | 'opened'; bar: Bar } | { kind: 'ignored' } | { kind: 'refetch' }

/**
 * What a live tick does to the newest bar.
 *
 * `refetch` when the tick cannot be folded honestly: bars are missing in between, or a replayed tape
 * jumped back to its start. A tick a little older than the newest bar is ignored.
 */
export function foldTick(last: Bar | undefined, tickMs: number, price: number, intervalMs: number): Folded {
  const openMs = Math.floor(tickMs / intervalMs) * intervalMs
  if (last === undefined) return { kind: 'opened', bar: flat(openMs, price) }
  if (openMs === last.openMs) {
    const bar = { ...last, high: Math.max(last.high, price), low: Math.min(last.low, price), close: price }
    return { kind: 'changed', bar }
  }
  if (openMs === last.openMs + intervalMs) return { kind: 'opened', bar: flat(openMs, price) }
  return openMs === last.openMs - intervalMs ? { kind: 'ignored' } : { kind: 'refetch' }
}

function flat(openMs: number, price: number): Bar {
  return { openMs, open: price, high: price, low: price, close: price }
}

/** The newest tick per market, outside React: written by the socket at any rate, shown once per animation frame. */
import { useSyncExternalStore } from 'react'
import type { Market } from '@/api/types'
import type { Tick } from '@/lib/freshness'
import type { PriceUpdate } from './frames'

const MARKETS_MAX = 256

type Listener = () => void

let shown: ReadonlyMap<string, Tick> = new Map()
const pending = new Map<string, Tick>()
const listeners = new Set<Listener>()
let scheduled = false

function flush() {
  scheduled = false
  if (pending.size === 0) return
  shown = new Map([...shown, ...pending])
  pending.clear()
  for (const listener of listeners) listener()
}

function put(tick: Tick) {
  if (!pending.has(tick.market) && pending.size + shown.size > MARKETS_MAX) return
  pending.set(tick.market, tick)
  if (scheduled) return
  scheduled = true
  requestAnimationFrame(flush)
}

export function putPriceUpdate(frame: PriceUpdate, nowMs: number) {
  put({
    market: frame.market,
    price: frame.price,
    state: frame.state,
    haltReason: frame.halt_reason,
    ageMs: frame.age_ms,
    heardMs: nowMs,
    pausedMs: 0,
    chartMs: frame.chart_ms,
    source: frame.source,
    feed: frame.feed,
  })
}

/** Prices of a REST snapshot of then, with the pause until the next one. Never replaces what was heard later. */
export function putMarkets(markets: readonly Market[], heardMs: number, pausedMs = 0) {
  for (const market of markets) {
    const known = pending.get(market.market) ?? shown.get(market.market)
    if (known && known.heardMs > heardMs) continue
    put({
      market: market.market,
      price: market.price,
      state: market.state,
      haltReason: market.halt_reason ?? null,
      ageMs: market.age_ms ?? 0,
      heardMs,
      pausedMs,
      chartMs: market.chart_ms ?? 0,
      source: market.source,
      feed: market.feed,
    })
  }
}

export function subscribePrices(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const shownPrices = () => shown

/** The newest tick of one market. */
export function useTick(market: string | undefined): Tick | undefined {
  return useSyncExternalStore(subscribePrices, () => (market === undefined ? undefined : shown.get(market)))
}

/** All newest ticks. Renders on every frame with a change: for small tables only. */
export function useTicks(): ReadonlyMap<string, Tick> {
  return useSyncExternalStore(subscribePrices, shownPrices)
}

let marksOf: ReadonlyMap<string, Tick> | undefined
let marks: ReadonlyMap<string, string> = new Map()

/** Price strings by market, for the equity calculators. */
export function useMarks(): ReadonlyMap<string, string> {
  const ticks = useTicks()
  if (marksOf !== ticks) {
    marksOf = ticks
    const known = [...ticks.values()].filter((tick) => tick.price !== null)
    marks = new Map(known.map((tick) => [tick.market, tick.price ?? '']))
  }
  return marks
}

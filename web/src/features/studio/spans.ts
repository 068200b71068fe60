/** Which part of a tape can be played with which markets. Pure. */
import { DAY_MS } from '@/lib/time'

export interface Span {
  from_ms: number
  to_ms: number
}

interface Played {
  markets: readonly (Span & { market: string })[]
}

/** The time that all of these markets were recorded; undefined when there is none, or one is missing. */
export function commonSpan(tape: Played, markets: readonly string[]): Span | undefined {
  const spans = markets.map((market) => tape.markets.find((one) => one.market === market))
  if (spans.length === 0 || spans.some((span) => span === undefined)) return undefined
  const from_ms = Math.max(...spans.map((span) => span?.from_ms ?? 0))
  const to_ms = Math.min(...spans.map((span) => span?.to_ms ?? 0))
  return from_ms < to_ms ? { from_ms, to_ms } : undefined
}

/** The first tape with a day or more of these markets, else the one with most of them. */
export function tapeFor<T extends Played>(tapes: readonly T[], markets: readonly string[]): T | undefined {
  const lengthOf = (tape: T) => {
    const span = commonSpan(tape, markets)
    return span ? span.to_ms - span.from_ms : 0
  }
  const longest = (best: T, one: T) => (lengthOf(one) > lengthOf(best) ? one : best)
  return tapes.find((one) => lengthOf(one) >= DAY_MS) ?? (tapes.length ? tapes.reduce(longest) : undefined)
}

export const missingOn = (tape: Played, markets: readonly string[]): string[] =>
  markets.filter((market) => !tape.markets.some((one) => one.market === market))

export const LENGTHS = [
  { value: '1', label: '1 day' },
  { value: '7', label: '7 days' },
  { value: '30', label: '30 days' },
  { value: 'all', label: 'All' },
] as const
export type Length = (typeof LENGTHS)[number]['value']

/** The newest part of that length. */
export function newest(span: Span, length: Length): Span {
  if (length === 'all') return span
  return { from_ms: Math.max(span.from_ms, span.to_ms - Number(length) * DAY_MS), to_ms: span.to_ms }
}

/** "2026-03-01", in UTC, as a date field wants it. */
export const dateText = (ms: number) => new Date(ms).toISOString().slice(0, 10)

/** The first moment of a day in UTC; undefined for what is no date. */
export function readDate(text: string): number | undefined {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}

/** Days that were chosen, within what was recorded; the last day is whole. Undefined when nothing is between. */
export function chosenSpan(span: Span, from: string, to: string): Span | undefined {
  const first = readDate(from)
  const last = readDate(to)
  if (first === undefined || last === undefined) return undefined
  const from_ms = Math.max(span.from_ms, first)
  const to_ms = Math.min(span.to_ms, last + DAY_MS)
  return from_ms < to_ms ? { from_ms, to_ms } : undefined
}

/** A name that no other backtest has: the clone's with the next number. */
export function nextName(clone: string, others: readonly string[]): string {
  let number = 1
  while (others.includes(`${clone} #${number}`)) number += 1
  return `${clone} #${number}`
}

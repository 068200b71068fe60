/** Which perpetual positions are about to be liquidated, from the server's liquidation prices. Pure. */
import type { PerpPosition } from '@/api/types'
import type { Marks } from '@/lib/equity'
import { formatPpm, formatUsd, sharePpm } from '@/lib/format'
import { floorDiv, NOTIONAL_DIVISOR, parseE8, parseMicros, parseNanos } from '@/lib/money'

/** Less of its margin than this is left to lose: the position is near its liquidation. */
const NEAR_PPM = 200_000
/** A position that was near stays so up to here: a banner that comes and goes with every tick helps nobody. */
const CLEAR_PPM = 250_000

export type Perp = Pick<PerpPosition, 'market' | 'side' | 'leverage' | 'quantity' | 'margin'> & {
  liquidation_price: string | null
}

export interface Left {
  /** What the position can still lose before it is liquidated; below zero once the mark is past that price. */
  micros: bigint
  /** The same as a share of its margin. */
  ppm: number
  /** How far the mark is from the liquidation price. */
  awayPpm: number
}

/** Undefined where no price liquidates the position, or none is known. */
export function leftToLose(position: Perp, mark: string | undefined): Left | undefined {
  if (mark === undefined || position.liquidation_price === null) return undefined
  const liquidationE8 = parseE8(position.liquidation_price)
  const markE8 = parseE8(mark)
  const awayE8 = position.side === 'short' ? liquidationE8 - markE8 : markE8 - liquidationE8
  const micros = floorDiv(parseNanos(position.quantity) * awayE8, NOTIONAL_DIVISOR)
  const ppm = sharePpm(micros, parseMicros(position.margin)) ?? 0
  return { micros, ppm, awayPpm: sharePpm(awayE8, markE8) ?? 0 }
}

export const isNear = (left: Left | undefined, wasNear = false) =>
  left !== undefined && left.ppm < (wasNear ? CLEAR_PPM : NEAR_PPM)

export interface Call {
  market: string
  title: string
  text: string
}

/** The positions that are near their liquidation, in words; `before` are the markets that were. */
export function callsOf(perps: readonly Perp[], marks: Marks, before: ReadonlySet<string>): Call[] {
  return perps.flatMap((position) => {
    const { market, side, leverage } = position
    const left = leftToLose(position, marks.get(market))
    if (left === undefined || !isNear(left, before.has(market))) return []
    return [{ market, title: `${market} ${side} ${leverage}× is near its liquidation.`, text: textOf(left) }]
  })
}

function textOf({ micros, ppm, awayPpm }: Left): string {
  if (micros < 0n) return 'The price is past it: the next one may liquidate the position.'
  const share = (value: number, places: number) => formatPpm(value, places).replace('+', '')
  return `The price is ${share(awayPpm, 2)} away; ${formatUsd(micros)} USD, ${share(ppm, 0)} of its margin, are left to lose. Reduce or close it to keep them.`
}

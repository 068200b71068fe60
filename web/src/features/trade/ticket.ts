/** What the person typed into the ticket, read into an order. Pure: prices and ticks never change typed input. */
import type { Account, Market, OrderBody, Preview, Side } from '@/api/types'
import { MICROS_DECIMALS, NANOS_DECIMALS, parseE8, parseMicros, parseNanos, toWire } from '@/lib/money'

export type Unit = 'quote' | 'base'

export interface Typed {
  side: Side
  unit: Unit
  amount: string
  /** Refuse a fill further than this from the mid; null leaves the rule set's own limit. */
  slippageBps: number | null
}

export type Reading = { body: OrderBody; reason?: undefined } | { body?: undefined; reason: string }

const INTEGER_DIGITS_MAX = 15
const GROUPED = /^[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/

/**
 * Read typed text into the body of an order, or say what is missing. A decimal comma counts as a point; one that may
 * as well group thousands, as this page writes its figures, is refused.
 */
export function readTicket(
  typed: Typed,
  market: Pick<Market, 'market' | 'base' | 'quantity_decimals'>,
): Reading {
  const given = typed.amount.trim()
  if (GROUPED.test(given)) return { reason: 'Write the amount without a comma between thousands.' }
  const text = given.replace(',', '.')
  if (text === '') return { reason: 'Enter an amount.' }
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text)
  const whole = match?.[1] ?? ''
  const fraction = (match?.[2] ?? '').replace(/0+$/, '')
  if (!match || whole + (match[2] ?? '') === '') return { reason: 'Enter a number, such as 250 or 0.5.' }
  if (whole.replace(/^0+/, '').length > INTEGER_DIGITS_MAX) return { reason: 'That is more than exists.' }

  const places = typed.unit === 'quote' ? MICROS_DECIMALS : Math.min(market.quantity_decimals, NANOS_DECIMALS)
  const name = typed.unit === 'quote' ? 'USD' : market.base
  if (fraction.length > places) return { reason: `${name} has at most ${places} decimals.` }
  const amount = toWire(BigInt((whole || '0') + fraction.padEnd(places, '0')), places)
  if (amount === '0') return { reason: 'Enter an amount above zero.' }

  const slippage = typed.slippageBps === null ? {} : { max_slippage_bps: typed.slippageBps }
  const size = typed.unit === 'quote' ? { quote_amount: amount } : { quantity: amount }
  return { body: { market: market.market, side: typed.side, ...size, ...slippage } }
}

export const SHARES = [25, 50, 75, 100] as const

/**
 * A share of what can be spent: of the cash when buying, of the position when selling, in the unit in which that
 * is exact. A quote budget includes the fee, so all of the cash is a valid amount.
 */
export function shareOf(
  percent: number,
  side: Side,
  account: Account,
  market: Market,
): { unit: Unit; amount: string } {
  if (side === 'buy') {
    const micros = (parseMicros(account.cash) * BigInt(percent)) / 100n
    // Cents are enough, except for all of it.
    return {
      unit: 'quote',
      amount: toWire(percent === 100 ? micros : micros - (micros % 10_000n), MICROS_DECIMALS),
    }
  }
  const held = account.positions.find((one) => one.market === market.market)
  const nanos = (parseNanos(held?.quantity ?? '0') * BigInt(percent)) / 100n
  const lot = 10n ** BigInt(NANOS_DECIMALS - Math.min(market.quantity_decimals, NANOS_DECIMALS))
  return { unit: 'base', amount: toWire(nanos - (nanos % lot), NANOS_DECIMALS) }
}

export interface Costs {
  totalMicros: bigint
  feeMicros: bigint
  halfSpreadPpm: number
  impactPpm: number
}

interface Priced {
  side: Side
  mid: string | null
  gross: string | null
  fee: string | null
  half_spread: string | null
  impact: string | null
}

/** What a fill costs or brings in all, and how far spread and impact move it from the mid. */
export function costsOf(priced: Priced): Costs | undefined {
  const { mid, gross, fee, half_spread, impact } = priced
  if (mid === null || gross === null || fee === null || half_spread === null || impact === null)
    return undefined
  const feeMicros = parseMicros(fee)
  const grossMicros = parseMicros(gross)
  const ppm = (part: string) => Number((parseE8(part) * 1_000_000n) / parseE8(mid))
  return {
    totalMicros: priced.side === 'buy' ? grossMicros + feeMicros : grossMicros - feeMicros,
    feeMicros,
    halfSpreadPpm: ppm(half_spread),
    impactPpm: ppm(impact),
  }
}

const REJECTIONS: Record<string, string> = {
  BAD_REQUEST: 'The order is not complete.',
  LOT_SIZE: 'The quantity is not a whole number of lots.',
  MIN_NOTIONAL: 'The order is too small: at least 1 USD.',
  MAX_NOTIONAL: 'The order is too large: at most 1,000,000 USD.',
  INSUFFICIENT_FUNDS: 'Not enough cash for this order and its fee.',
  INSUFFICIENT_POSITION: 'You hold less than this.',
  PRICE_STALE: 'The price was too old to fill on.',
  PRICE_UNCERTAIN: 'The price source was too unsure of its price.',
  SLIPPAGE_LIMIT: 'The fill would be further from the mid than your limit.',
  MARKET_HALTED: 'The market is halted.',
}

/** A rejection in words; an unknown code is shown as it came. */
export function rejectionText(code: string | null): string {
  return code === null ? 'The order was rejected.' : (REJECTIONS[code] ?? code)
}

export interface Estimate {
  price: string
  totalMicros: bigint
  feeMicros: bigint
}

/** The part of a preview that the result is compared with. */
export function estimateOf(preview: Preview | undefined): Estimate | undefined {
  const costs = preview && costsOf(preview)
  if (!costs || preview.price === null) return undefined
  return { price: preview.price, totalMicros: costs.totalMicros, feeMicros: costs.feeMicros }
}

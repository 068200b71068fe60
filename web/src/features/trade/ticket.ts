/** What the person typed into the ticket, read into an order. Pure: prices and ticks never change typed input. */
import type { Market, OrderBody, OrderKind, Side, TimeInForce } from '@/api/types'
import { E8_DECIMALS, MICROS_DECIMALS, NANOS_DECIMALS, parseE8 } from '@/lib/money'
import { type ReadDecimal, readDecimal } from '@/lib/typed'

export type Unit = 'quote' | 'base'

export interface Typed {
  side: Side
  kind: OrderKind
  unit: Unit
  amount: string
  limit: string
  trigger: string
  timeInForce: TimeInForce
  reduceOnly: boolean
  leverage: string
  /** Exits that the order attaches to the position it opens. */
  stop: string
  target: string
  /** Refuse a fill further than this from the mid; null leaves the rule set's own limit. */
  slippageBps: number | null
}

export const UNTYPED: Typed = {
  side: 'buy',
  kind: 'market',
  unit: 'quote',
  amount: '',
  limit: '',
  trigger: '',
  timeInForce: 'gtc',
  reduceOnly: false,
  leverage: '1',
  stop: '',
  target: '',
  slippageBps: null,
}

export type TicketMarket = Pick<Market, 'market' | 'kind' | 'base' | 'quantity_decimals' | 'tick'>

/** What the account's rules say about orders of this market. */
export interface TicketRules {
  nextTick: boolean
  /** Undefined where the rules do not know the market as a perpetual. */
  maxLeverage: number | undefined
}

export type Reading = { body: OrderBody; reason?: undefined } | { body?: undefined; reason: string }

export const isTriggered = (kind: OrderKind) => kind === 'stop' || kind === 'take_profit'

/** Whether the order may be sized by what it costs: only spot at the market, and where it waits only a purchase. */
export function mayBeSizedInQuote(typed: Typed, market: TicketMarket, rules: TicketRules): boolean {
  const plain = !rules.nextTick && !typed.reduceOnly
  return market.kind === 'spot' && typed.kind === 'market' && (typed.side === 'buy' || plain)
}

/** Whether the order may carry exits: only one that opens a position. */
export function mayHaveExits(typed: Typed, market: TicketMarket): boolean {
  return !typed.reduceOnly && (market.kind === 'perp' || typed.side === 'buy')
}

/** Whether the order may be told to reduce only. Buying on a spot market never reduces anything. */
export function mayReduceOnly(typed: Typed, market: TicketMarket): boolean {
  return market.kind === 'perp' || typed.side === 'sell'
}

/** The typed text as it counts for this market: what it cannot have is as if it were not typed. */
export function typedFor(typed: Typed, market: TicketMarket, rules: TicketRules): Typed {
  const reduceOnly = typed.reduceOnly && mayReduceOnly(typed, market)
  const usable = { ...typed, reduceOnly }
  const exits = mayHaveExits(usable, market) ? {} : { stop: '', target: '' }
  const size =
    usable.unit === 'base' || mayBeSizedInQuote(usable, market, rules)
      ? {}
      : { unit: 'base' as const, amount: '' }
  return { ...usable, ...exits, ...size }
}

/** Read typed text into the body of an order, or say what is missing first. */
export function readTicket(given: Typed, market: TicketMarket, rules: TicketRules): Reading {
  const typed = typedFor(given, market, rules)
  const inQuote = typed.unit === 'quote'
  const places = inQuote ? MICROS_DECIMALS : Math.min(market.quantity_decimals, NANOS_DECIMALS)
  const amount = readDecimal(typed.amount, {
    what: 'an amount',
    name: inQuote ? 'USD' : market.base,
    places,
    example: '250 or 0.5',
  })
  if (amount.reason !== undefined) return amount
  const prices = readPrices(typed, market)
  if (prices.reason !== undefined) return prices
  const leverage = readLeverage(typed, market, rules)
  if (leverage.reason !== undefined) return leverage

  const size = inQuote ? { quote_amount: amount.text } : { quantity: amount.text }
  return {
    body: {
      market: market.market,
      side: typed.side,
      ...(typed.kind === 'market' ? {} : { type: typed.kind }),
      ...size,
      ...prices.fields,
      ...(typed.kind === 'limit' && typed.timeInForce === 'ioc' ? { time_in_force: 'ioc' as const } : {}),
      ...(typed.reduceOnly ? { reduce_only: true } : {}),
      ...leverage.fields,
      ...(typed.slippageBps === null || typed.kind === 'limit'
        ? {}
        : { max_slippage_bps: typed.slippageBps }),
    },
  }
}

type Fields<K extends keyof OrderBody> =
  | { fields: { [key in K]?: string }; reason?: undefined }
  | { fields?: undefined; reason: string }

const PRICES = [
  ['limit', 'limit_price', 'a limit price'],
  ['trigger', 'trigger_price', 'a trigger price'],
  ['stop', 'stop_price', 'a stop price'],
  ['target', 'target_price', 'a target price'],
] as const

function readPrices(typed: Typed, market: TicketMarket): Fields<(typeof PRICES)[number][1]> {
  const fields: { [key in (typeof PRICES)[number][1]]?: string } = {}
  const needed = {
    limit: typed.kind === 'limit',
    trigger: isTriggered(typed.kind),
    stop: false,
    target: false,
  }
  for (const [key, field, what] of PRICES) {
    const wanted = needed[key] || ((key === 'stop' || key === 'target') && typed[key].trim() !== '')
    if (!wanted) continue
    const read = readPrice(typed[key], market, what)
    if (read.reason !== undefined) return read
    fields[field] = read.text
  }
  const { stop_price: stop, target_price: target } = fields
  if (stop && target && parseE8(stop) < parseE8(target) !== (typed.side === 'buy')) {
    return { reason: `The stop must be ${typed.side === 'buy' ? 'below' : 'above'} the target.` }
  }
  return { fields }
}

/** A price on the market's tick. */
export function readPrice(text: string, market: Pick<Market, 'tick'>, what: string): ReadDecimal {
  const read = readDecimal(text, { what, name: 'A price', places: E8_DECIMALS, example: '150 or 149.5' })
  if (read.reason !== undefined || parseE8(read.text) % parseE8(market.tick) === 0n) return read
  return { reason: `Prices of this market are multiples of ${market.tick}.` }
}

function readLeverage(
  typed: Typed,
  market: TicketMarket,
  rules: TicketRules,
): { fields: { leverage?: number }; reason?: undefined } | { fields?: undefined; reason: string } {
  if (market.kind !== 'perp' || typed.reduceOnly) return { fields: {} }
  if (rules.maxLeverage === undefined)
    return { reason: 'This account’s rules have no perpetuals. Open an account with newer rules.' }
  const leverage = /^\d{1,3}$/.test(typed.leverage.trim()) ? Number(typed.leverage) : 0
  if (leverage >= 1 && leverage <= rules.maxLeverage) return { fields: { leverage } }
  return { reason: `The leverage is a whole number from 1 to ${rules.maxLeverage}.` }
}

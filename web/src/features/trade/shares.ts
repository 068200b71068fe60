/** A share of what an account can put into an order. Pure. */
import type { Account, Market } from '@/api/types'
import {
  floorDiv,
  MICROS_DECIMALS,
  NANOS_DECIMALS,
  NOTIONAL_DIVISOR,
  parseE8,
  parseMicros,
  parseNanos,
  toWire,
} from '@/lib/money'
import type { Typed, Unit } from './ticket'

export const SHARES = [25, 50, 75, 100] as const

const PPM = 1_000_000n
/** Left aside where the price is not known yet: the 3 % that are held more, spread and impact. */
const PRICE_ROOM_PPM = 31_000n
/** Left aside for the fee, which is charged on the whole notional whatever the leverage. */
const FEE_ROOM_PPM = 800n

/**
 * A share of what can be spent: of the cash when buying, of the position when selling or reducing, in the unit in which
 * that is exact. A quote budget includes the fee, so all of the cash is a valid amount; a size in the asset leaves room
 * for the fee and the price. Undefined while there is no price to size by.
 */
export function shareOf(
  percent: number,
  typed: Pick<Typed, 'side' | 'reduceOnly' | 'limit' | 'leverage'> & { inQuote: boolean },
  account: Account,
  market: Market,
  price: string | null | undefined,
): { unit: Unit; amount: string } | undefined {
  const perp = account.perps.find((one) => one.market === market.market)
  if (market.kind === 'perp' && typed.reduceOnly) return lots(percent, perp?.quantity ?? '0', market)
  if (market.kind === 'spot' && typed.side === 'sell') {
    const held = account.positions.find((one) => one.market === market.market)
    const free = parseNanos(held?.quantity ?? '0') - parseNanos(held?.held ?? '0')
    return lots(percent, toWire(free, NANOS_DECIMALS), market)
  }
  const cash = parseMicros(account.cash)
  if (typed.inQuote) {
    const micros = (cash * BigInt(percent)) / 100n
    // Cents are enough, except for all of it.
    const amount = toWire(percent === 100 ? micros : micros - (micros % 10_000n), MICROS_DECIMALS)
    return { unit: 'quote', amount }
  }
  const priceE8 = sizingPrice(typed.limit, price)
  if (priceE8 === undefined) return undefined
  const leverage = market.kind === 'perp' && /^\d{1,3}$/.test(typed.leverage) ? BigInt(typed.leverage) : 1n
  const room = PPM + (isPrice(typed.limit) ? 0n : PRICE_ROOM_PPM) + FEE_ROOM_PPM * leverage
  const buying = floorDiv(cash * leverage * PPM, room)
  const nanos = floorDiv(buying * NOTIONAL_DIVISOR, priceE8)
  return lots(percent, toWire(nanos, NANOS_DECIMALS), market)
}

const isPrice = (text: string) => /^\d{1,15}(\.\d{1,8})?$/.test(text)

function sizingPrice(limit: string, price: string | null | undefined): bigint | undefined {
  const text = isPrice(limit) ? limit : price
  const priceE8 = text ? parseE8(text) : 0n
  return priceE8 > 0n ? priceE8 : undefined
}

/** Whole lots, rounded down. */
function lots(percent: number, quantity: string, market: Market): { unit: Unit; amount: string } {
  const nanos = (parseNanos(quantity) * BigInt(percent)) / 100n
  const lot = parseNanos(market.lot)
  return { unit: 'base', amount: toWire(nanos - (nanos % lot), NANOS_DECIMALS) }
}

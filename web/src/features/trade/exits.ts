/** Stops and targets of a position: which open orders they are, and what they would bring. Pure. */
import type { Order, OrderBody } from '@/api/types'
import { parseE8 } from '@/lib/money'

/** What exits are attached to: a spot holding is long. */
export interface Exitable {
  market: string
  side: 'long' | 'short'
}

export interface Exits {
  stop: Order | undefined
  target: Order | undefined
}

/** The exits of a position among the open orders: the newest of each kind. */
export function exitsOf(position: Exitable, openOrders: readonly Order[]): Exits {
  const closing = position.side === 'long' ? 'sell' : 'buy'
  const exits = openOrders.filter(
    (one) => one.market === position.market && one.reduce_only && one.side === closing,
  )
  return {
    stop: exits.find((one) => one.type === 'stop'),
    target: exits.find((one) => one.type === 'take_profit'),
  }
}

/** An order that closes all of a position: at once, or armed at a trigger. */
export function closingOrder(
  position: Exitable,
  trigger?: { type: 'stop' | 'take_profit'; price: string },
): OrderBody {
  const side = position.side === 'long' ? 'sell' : 'buy'
  const plain = { market: position.market, side, reduce_only: true } as const
  return trigger ? { ...plain, type: trigger.type, trigger_price: trigger.price } : plain
}

/**
 * Why these exits would be wrong at this price: a stop that the price has passed fires at once, and so does a target.
 * Undefined when they stand apart.
 */
export function exitsReason(
  side: Exitable['side'],
  prices: { stop?: string | undefined; target?: string | undefined },
  reference: string | null | undefined,
): string | undefined {
  if (!reference) return undefined
  const at = parseE8(reference)
  const long = side === 'long'
  if (prices.stop !== undefined && (long ? parseE8(prices.stop) >= at : parseE8(prices.stop) <= at))
    return `The stop of a ${side} must be ${long ? 'below' : 'above'} the price, or it fires at once.`
  if (prices.target !== undefined && (long ? parseE8(prices.target) <= at : parseE8(prices.target) >= at))
    return `The target of a ${side} must be ${long ? 'above' : 'below'} the price, or it fires at once.`
  return undefined
}

/** One step of changing exits: cancel an order, or place another. New ones come before old ones go. */
export type ExitStep = { do: 'place'; body: OrderBody } | { do: 'cancel'; order: Order }

/** What it takes to get from the exits there are to those wanted; an empty price means none. */
export function exitSteps(
  position: Exitable,
  exits: Exits,
  wanted: { stop: string | undefined; target: string | undefined },
): ExitStep[] {
  const place: ExitStep[] = []
  const cancel: ExitStep[] = []
  const kinds = [
    ['stop', exits.stop, wanted.stop],
    ['take_profit', exits.target, wanted.target],
  ] as const
  for (const [type, order, price] of kinds) {
    if (samePrice(order?.trigger_price, price)) continue
    if (price !== undefined) place.push({ do: 'place', body: closingOrder(position, { type, price }) })
    if (order) cancel.push({ do: 'cancel', order })
  }
  return [...place, ...cancel]
}

function samePrice(one: string | null | undefined, other: string | undefined): boolean {
  if (!one || other === undefined) return !one && other === undefined
  return parseE8(one) === parseE8(other)
}

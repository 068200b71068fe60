/** What an account is worth at the latest marks: the same integers as the server's. */
import { floorDiv, NOTIONAL_DIVISOR, notionalMicros, parseE8, parseMicros, parseNanos } from './money'

interface Holding {
  market: string
  quantity: string
  cost: string
}

interface PerpHolding extends Holding {
  side: 'long' | 'short' | null
}

interface Books {
  start: string
  cash: string
  held: string
  margin: string
  funding: string
  realised_pnl: string
  fees: string
  positions: readonly Holding[]
  perps: readonly PerpHolding[]
}

/** Price strings by market, as they came over the wire. */
export type Marks = ReadonlyMap<string, string>

/** What is held. The server also tells of sold-out positions, for what they realised. */
export function heldOnly<H extends Holding>(positions: readonly H[]): H[] {
  return positions.filter((one) => parseNanos(one.quantity) !== 0n)
}

export interface Valued {
  quantityNanos: bigint
  costMicros: bigint
  valueMicros: bigint | undefined
  unrealisedMicros: bigint | undefined
}

/** A holding at its mark; undefined figures while the market has no price. */
export function valueHolding(holding: Holding, mark: string | null | undefined): Valued {
  const quantityNanos = parseNanos(holding.quantity)
  const costMicros = parseMicros(holding.cost)
  if (mark === null || mark === undefined) {
    return { quantityNanos, costMicros, valueMicros: undefined, unrealisedMicros: undefined }
  }
  const valueMicros = notionalMicros(quantityNanos, parseE8(mark))
  return { quantityNanos, costMicros, valueMicros, unrealisedMicros: valueMicros - costMicros }
}

/** A perpetual position at its mark. `valueMicros` is its notional: only the PnL is part of the equity. */
export function valuePerp(holding: PerpHolding, mark: string | null | undefined): Valued {
  const quantityNanos = parseNanos(holding.quantity)
  const costMicros = parseMicros(holding.cost)
  if (mark === null || mark === undefined) {
    return { quantityNanos, costMicros, valueMicros: undefined, unrealisedMicros: undefined }
  }
  const product = quantityNanos * parseE8(mark)
  const gained = product - costMicros * NOTIONAL_DIVISOR
  return {
    quantityNanos,
    costMicros,
    valueMicros: -floorDiv(-product, NOTIONAL_DIVISOR),
    unrealisedMicros: floorDiv(holding.side === 'short' ? -gained : gained, NOTIONAL_DIVISOR),
  }
}

export interface Identity {
  startMicros: bigint
  cashMicros: bigint
  heldMicros: bigint
  marginMicros: bigint
  fundingMicros: bigint
  realisedMicros: bigint
  feesMicros: bigint
  unrealisedMicros: bigint | undefined
  equityMicros: bigint | undefined
  /** equity - (start + realised + unrealised + funding - fees): 0, or the books are wrong. */
  residualMicros: bigint | undefined
}

/** The account's identity at these marks. No figure is drawn from a price we do not have. */
export function identityAt(books: Books, marks: Marks): Identity {
  const known = {
    startMicros: parseMicros(books.start),
    cashMicros: parseMicros(books.cash),
    heldMicros: parseMicros(books.held),
    marginMicros: parseMicros(books.margin),
    fundingMicros: parseMicros(books.funding),
    realisedMicros: parseMicros(books.realised_pnl),
    feesMicros: parseMicros(books.fees),
  }
  const unknown = { unrealisedMicros: undefined, equityMicros: undefined, residualMicros: undefined }
  let equityMicros = known.cashMicros + known.heldMicros + known.marginMicros
  let unrealisedMicros = 0n
  for (const holding of books.positions) {
    const valued = valueHolding(holding, marks.get(holding.market))
    if (valued.valueMicros === undefined || valued.unrealisedMicros === undefined)
      return { ...known, ...unknown }
    equityMicros += valued.valueMicros
    unrealisedMicros += valued.unrealisedMicros
  }
  for (const perp of books.perps) {
    const gained = valuePerp(perp, marks.get(perp.market)).unrealisedMicros
    if (gained === undefined) return { ...known, ...unknown }
    equityMicros += gained
    unrealisedMicros += gained
  }
  const earnedMicros = known.realisedMicros + unrealisedMicros + known.fundingMicros - known.feesMicros
  return {
    ...known,
    unrealisedMicros,
    equityMicros,
    residualMicros: equityMicros - (known.startMicros + earnedMicros),
  }
}

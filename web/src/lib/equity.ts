/** What an account is worth at the latest marks: the same integers as the server's. */
import { notionalMicros, parseE8, parseMicros, parseNanos } from './money'

interface Holding {
  market: string
  quantity: string
  cost: string
}

interface Books {
  start: string
  cash: string
  realised_pnl: string
  fees: string
  positions: readonly Holding[]
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

export interface Identity {
  startMicros: bigint
  cashMicros: bigint
  realisedMicros: bigint
  feesMicros: bigint
  unrealisedMicros: bigint | undefined
  equityMicros: bigint | undefined
  /** equity - (start + realised + unrealised - fees): 0, or the books are wrong. */
  residualMicros: bigint | undefined
}

/** The account's identity at these marks. No figure is drawn from a price we do not have. */
export function identityAt(books: Books, marks: Marks): Identity {
  const startMicros = parseMicros(books.start)
  const cashMicros = parseMicros(books.cash)
  const realisedMicros = parseMicros(books.realised_pnl)
  const feesMicros = parseMicros(books.fees)
  const known = { startMicros, cashMicros, realisedMicros, feesMicros }

  let equityMicros = cashMicros
  let unrealisedMicros = 0n
  for (const holding of books.positions) {
    const valued = valueHolding(holding, marks.get(holding.market))
    if (valued.valueMicros === undefined || valued.unrealisedMicros === undefined) {
      return { ...known, unrealisedMicros: undefined, equityMicros: undefined, residualMicros: undefined }
    }
    equityMicros += valued.valueMicros
    unrealisedMicros += valued.unrealisedMicros
  }
  const residualMicros = equityMicros - (startMicros + realisedMicros + unrealisedMicros - feesMicros)
  return { ...known, unrealisedMicros, equityMicros, residualMicros }
}

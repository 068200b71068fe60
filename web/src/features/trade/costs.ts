/** What an order costs, from the parts the server tells. Pure. */
import type { Preview, Side } from '@/api/types'
import { parseE8, parseMicros } from '@/lib/money'

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

/** What a spot fill costs or brings in all, and how far spread and impact move it from the mid. */
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

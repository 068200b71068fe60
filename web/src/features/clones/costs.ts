/** What models took, in words. A cost that is not known is never shown as zero. Pure. */
import { formatWire } from '@/lib/format'

/** "0.0123 USD", "at least 0.01 USD", "cost unknown". */
export function costText(used: { cost: string; calls: number; unpriced_calls: number }): string {
  if (used.unpriced_calls === 0) return `${formatWire(used.cost, 2)} USD`
  return /[1-9]/.test(used.cost) ? `at least ${formatWire(used.cost, 2)} USD` : 'cost unknown'
}

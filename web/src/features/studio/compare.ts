/** Which backtests can stand side by side. Pure. */
import type { Backtest } from '@/api/backtests'

/** They played the same minutes of the same tape. */
export const isComparable = (one: Backtest, other: Backtest) =>
  one.tape === other.tape && one.from_ms === other.from_ms && one.to_ms === other.to_ms

/** Why one cannot be added to those that are chosen; undefined when it can. */
export function whyNot(one: Backtest, chosen: readonly Backtest[], most: number): string | undefined {
  if (one.state !== 'done') return 'Only finished backtests can be compared'
  if (chosen.some((other) => other.backtest_id === one.backtest_id)) return undefined
  if (chosen.length >= most) return `At most ${most} are compared`
  const [first] = chosen
  return first && !isComparable(first, one) ? 'It played other minutes' : undefined
}

/** Those of the chosen ids that are still there and finished, in the order of choosing. */
export function chosenOf(all: readonly Backtest[], ids: readonly string[]): Backtest[] {
  return ids.flatMap((id) => all.find((one) => one.backtest_id === id && one.state === 'done') ?? [])
}

/** What the socket tells of a clone or a backtest, put where the answers of the server are kept. Pure. */
import type { InfiniteData } from '@tanstack/react-query'
import { type Backtest, isOver } from '@/api/backtests'
import type { CloneEquity, CloneFill, Run } from '@/api/clones'
import type { Page } from '@/api/types'
import type { CloneEquityFrame } from './frames'

/** Marks, about ten seconds apart, that holding may be behind the curve before both are asked for anew. */
const BEHIND_MAX = 6
const FILLS_MAX = 200

type Pages = InfiniteData<Page<Run>, unknown>

/** The decision first, or in the place of what was known of it. */
export function withRun(known: Pages, run: Run): Pages {
  let isNew = true
  const pages = known.pages.map((page) => ({
    ...page,
    items: page.items.map((one) => {
      if (one.run_id !== run.run_id) return one
      isNew = false
      return run
    }),
  }))
  const [first, ...rest] = pages
  if (!isNew || !first) return { ...known, pages }
  return { ...known, pages: [{ ...first, items: [run, ...first.items] }, ...rest] }
}

/**
 * The curve one mark longer; a mark that is known changes nothing. Undefined once what holding was worth, which only the
 * server can say, is too far behind.
 */
export function withMark(known: CloneEquity, mark: CloneEquityFrame): CloneEquity | undefined {
  const last = known.curve.at(-1)
  if (last && mark.at_ms <= last.at_ms) return known
  const held = known.buy_and_hold_points.length
  if (held > 0 && known.curve.length - held >= BEHIND_MAX) return undefined
  const point = { at_ms: mark.at_ms, cycle: last?.cycle ?? 1, equity: mark.equity }
  return { ...known, as_of_ms: mark.at_ms, equity: mark.equity, curve: [...known.curve, point] }
}

/** Newest first; what is told twice counts once. */
export function withFill(known: readonly CloneFill[], fill: CloneFill): CloneFill[] {
  const same = (one: CloneFill) =>
    one.at_ms === fill.at_ms &&
    one.market === fill.market &&
    one.quantity === fill.quantity &&
    one.side === fill.side
  return known.some(same) ? [...known] : [fill, ...known].slice(0, FILLS_MAX)
}

/** A backtest only goes on: an older state that comes late changes nothing. */
export function withBacktest(known: readonly Backtest[], told: Backtest): Backtest[] {
  if (!known.some((one) => one.backtest_id === told.backtest_id)) return [told, ...known]
  return known.map((one) => {
    if (one.backtest_id !== told.backtest_id) return one
    const isOlder = isOver(one.state) || (!isOver(told.state) && one.minutes_done > told.minutes_done)
    return isOlder ? one : told
  })
}

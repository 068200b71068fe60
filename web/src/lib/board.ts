/** What a leaderboard may be asked, as the URL says it, and what its answer says in words. Pure. */
import { grouped } from './format'
import { formatDate } from './time'

export const TRADERS = ['all', 'people', 'clones'] as const
export const WINDOWS = ['today', '7d', '30d', 'cycle'] as const
export const METRICS = ['return', 'drawdown'] as const
export const ROWS = ['50', '100', '200'] as const

const ROWS_DEFAULT = 50
const ROWS_MAX = 200

export interface BoardAsked {
  traders: (typeof TRADERS)[number]
  window: (typeof WINDOWS)[number]
  metric: (typeof METRICS)[number]
  limit: number
}

/** What the URL leaves out. */
export const USUAL: BoardAsked = { traders: 'all', window: 'cycle', metric: 'return', limit: ROWS_DEFAULT }

/** What of a URL's parameters is meant and is not as usual. */
export function boardSearch(search: Record<string, unknown>): Partial<BoardAsked> {
  const limit = Math.min(Math.trunc(Number(search.limit)), ROWS_MAX)
  const asked: BoardAsked = {
    traders: oneOf(TRADERS, search.traders) ?? USUAL.traders,
    window: oneOf(WINDOWS, search.window) ?? USUAL.window,
    metric: oneOf(METRICS, search.metric) ?? USUAL.metric,
    limit: limit >= 1 ? limit : USUAL.limit,
  }
  const names = Object.keys(USUAL) as (keyof BoardAsked)[]
  return Object.fromEntries(names.filter((one) => asked[one] !== USUAL[one]).map((one) => [one, asked[one]]))
}

function oneOf<T extends string>(choices: readonly T[], given: unknown): T | undefined {
  return choices.find((one) => one === given)
}

/** What of an answer is put into words. */
export interface BoardTold {
  traders: string
  window: string
  metric: string
  from_ms: number | null
  ranked: number
  complete: boolean
  me_absent: string | null
}

export interface RankChange {
  kind: 'up' | 'down' | 'same' | 'new' | 'unknown'
  places: number
}

/** How many places a row has moved since the ranks it is compared with; unknown where nothing is compared. */
export function rankChange(rank: number, before: number | null, comparedMs: number | null): RankChange {
  if (comparedMs === null) return { kind: 'unknown', places: 0 }
  if (before === null) return { kind: 'new', places: 0 }
  const kind = before > rank ? 'up' : before < rank ? 'down' : 'same'
  return { kind, places: Math.abs(before - rank) }
}

/** What the ranks go by, since when, and among how many. */
export function boardText({ metric, from_ms, ranked, complete }: BoardTold): string {
  const since = from_ms === null ? 'the start of its cycle' : `00:00 UTC on ${formatDate(from_ms, 'UTC')}`
  const by =
    metric === 'return'
      ? `by what each account would have made since ${since} if everything were closed now`
      : 'by the smallest largest drawdown of the whole cycle'
  const among = `${grouped(ranked)} ${ranked === 1 ? 'account' : 'accounts'}`
  return `${among}, ranked ${by}.${complete ? '' : ' There are more: only the best are compared.'}`
}

/** Why the board has no row of one's own; undefined where it has one. */
export function absenceText(board: BoardTold): string | undefined {
  if (board.me_absent === null) return undefined
  if (board.me_absent === 'signed_out') return 'Sign in to find yourself.'
  if (board.traders === 'clones') return 'None of your clones that trade has filled here.'
  if (board.window !== 'cycle') return 'Nothing of yours traded or was held since then.'
  return board.complete ? 'You are here soon after your first fill.' : 'You are not among those compared.'
}

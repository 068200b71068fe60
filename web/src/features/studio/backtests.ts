/** What the studio asks the server about backtests. */
import { queryOptions } from '@tanstack/react-query'
import { request } from '@/api/client'
import type { EquityMark, Results } from '@/api/types'
import type { Strategy } from './strategy'

const POLL_MS = 1_000
const LIST_POLL_MS = 15_000

export type BacktestState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'

export interface Tape {
  name: string
  title: string
  feed: string
  markets: { market: string; from_ms: number; to_ms: number }[]
}

export interface BacktestSummary {
  equity: string | null
  return_ppm: number | null
  max_drawdown_ppm: number | null
  sharpe: string | null
  fills: number
  fees: string
  funding: string
  slots: number
}

export interface Backtest {
  backtest_id: string
  name: string
  tape: string
  feed: string
  markets: string[]
  from_ms: number
  to_ms: number
  state: BacktestState
  minutes_done: number
  minutes: number
  created_ms: number
  code: string | null
  detail: string | null
  result_hash: string | null
  summary: BacktestSummary | null
}

export interface BacktestResult {
  backtest: Backtest
  results: Results
  holding: EquityMark[]
  decisions: { code: string; count: number }[]
}

export interface DecisionRow {
  slot_ms: number
  market: string
  action: string
  side: string | null
  share: string
  leverage: number
  mid: string | null
  code: string
}

export const isOver = (state: BacktestState) => state !== 'waiting' && state !== 'running'

export const tapesQuery = queryOptions({
  queryKey: ['tapes'],
  queryFn: async ({ signal }) => (await request<{ items: Tape[] }>('GET', '/v1/tapes', { signal })).items,
})

export const backtestsQuery = queryOptions({
  queryKey: ['clones', 'backtests'],
  queryFn: async ({ signal }) =>
    (await request<{ items: Backtest[] }>('GET', '/v1/backtests', { signal })).items,
  refetchInterval: ({ state: { data } }) =>
    data?.some((one) => !isOver(one.state)) ? POLL_MS : LIST_POLL_MS,
})

const path = (id: string) => `/v1/backtests/${encodeURIComponent(id)}`

export const resultQuery = (id: string) =>
  queryOptions({
    queryKey: ['clones', 'backtest', id, 'result'],
    queryFn: ({ signal }) => request<BacktestResult>('GET', `${path(id)}/result`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const decisionsQuery = (id: string) =>
  queryOptions({
    queryKey: ['clones', 'backtest', id, 'decisions'],
    queryFn: ({ signal }) =>
      request<{ items: DecisionRow[]; next_cursor: string | null; left_out: number }>(
        'GET',
        `${path(id)}/decisions`,
        { signal, query: { limit: 100 } },
      ),
    staleTime: Number.POSITIVE_INFINITY,
  })

export interface StartBacktest {
  strategy: Strategy
  name: string
  tape: string
  from_ms: number
  to_ms: number
}

export const startBacktest = (body: StartBacktest, idempotencyKey: string) =>
  request<Backtest>('POST', '/v1/backtests', { body, idempotencyKey })

export const cancelBacktest = (id: string) => request<Backtest>('DELETE', path(id))

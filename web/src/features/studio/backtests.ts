/** What the studio asks the server about backtests. */
import { queryOptions } from '@tanstack/react-query'
import type { Backtest } from '@/api/backtests'
import { request } from '@/api/client'
import type { components } from '@/api/schema'
import type { Strategy } from './strategy'

type Schemas = components['schemas']

export type Comparison = Schemas['BacktestComparison']
export type BacktestResult = Schemas['BacktestResult']
export type Tape = Schemas['TapeItem']

export const tapesQuery = queryOptions({
  queryKey: ['tapes'],
  queryFn: async ({ signal }) => (await request<{ items: Tape[] }>('GET', '/v1/tapes', { signal })).items,
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
      request<Schemas['BacktestDecisions']>('GET', `${path(id)}/decisions`, {
        signal,
        query: { limit: 100 },
      }),
    staleTime: Number.POSITIVE_INFINITY,
  })

/** Of one tape and span, in the order they are asked for. */
export const compareQuery = (ids: readonly string[]) =>
  queryOptions({
    queryKey: ['clones', 'backtest', 'compare', ...ids],
    queryFn: ({ signal }) =>
      request<Comparison>('GET', '/v1/backtests/compare', { signal, query: { ids: ids.join(',') } }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export type UseModels = Schemas['UseModels']

export interface StartBacktestBody {
  strategy: Strategy
  name: string
  tape: string
  from_ms: number
  to_ms: number
  /** Of a strategy with a prompt: whether a model is asked for answers that are missing, and paid. */
  use_models?: UseModels
}

export const startBacktest = (body: StartBacktestBody, idempotencyKey: string) =>
  request<Backtest>('POST', '/v1/backtests', { body, idempotencyKey })

export const cancelBacktest = (id: string) => request<Backtest>('DELETE', path(id))

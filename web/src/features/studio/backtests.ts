/** What the studio asks the server about backtests. */
import { queryOptions } from '@tanstack/react-query'
import { request } from '@/api/client'
import type { components } from '@/api/schema'
import type { Strategy } from './strategy'

type Schemas = components['schemas']

const POLL_MS = 1_000
const LIST_POLL_MS = 15_000

export type Backtest = Schemas['Backtest']
export type BacktestState = Schemas['BacktestState']
export type BacktestResult = Schemas['BacktestResult']
export type Tape = Schemas['TapeItem']

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
      request<Schemas['BacktestDecisions']>('GET', `${path(id)}/decisions`, {
        signal,
        query: { limit: 100 },
      }),
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

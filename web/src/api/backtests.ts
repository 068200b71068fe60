/** Backtests of the person. The socket patches those that are under way. */
import { queryOptions } from '@tanstack/react-query'
import { request } from './client'
import type { components } from './schema'

type Schemas = components['schemas']

export type Backtest = Schemas['Backtest']
export type BacktestState = Schemas['BacktestState']

export const isOver = (state: BacktestState) => state !== 'waiting' && state !== 'running'

/** Newest first: those under way and the newest that have ended. */
export const backtestsQuery = queryOptions({
  queryKey: ['clones', 'backtests'],
  queryFn: async ({ signal }) =>
    (await request<{ items: Backtest[] }>('GET', '/v1/backtests', { signal })).items,
})

/** What everybody sees of everybody: the leaderboard and the latest decisions of all clones. */
import { queryOptions } from '@tanstack/react-query'
import type { BoardAsked } from '@/lib/board'
import { request } from './client'
import type { components } from './schema'
import type { Leaderboard, Page } from './types'

export type LatestDecision = components['schemas']['LatestDecision']

const AGAIN_MS = 15_000

export const leaderboardQuery = ({ traders, window, metric, limit }: BoardAsked) =>
  queryOptions({
    queryKey: ['leaderboard', traders, window, metric, limit],
    queryFn: ({ signal }) => {
      const query = { traders, window, metric, limit }
      return request<Leaderboard>('GET', '/v1/leaderboards/practice', { signal, query })
    },
    refetchInterval: AGAIN_MS,
  })

/** Newest slot first, in the form that everybody sees. */
export const latestDecisionsQuery = (limit: number) =>
  queryOptions({
    queryKey: ['latest-decisions', limit],
    queryFn: async ({ signal }) =>
      (await request<Page<LatestDecision>>('GET', '/v1/decisions', { signal, query: { limit } })).items,
    refetchInterval: AGAIN_MS,
  })

/** Server state lives here and nowhere else: one query per resource, patched by socket events. */
import { QueryCache, QueryClient, queryOptions, useQuery } from '@tanstack/react-query'
import { heldOnly } from '@/lib/equity'
import { usePreferences } from '@/ui/preferences'
import { Problem, request, setCsrfToken } from './client'
import type {
  Account,
  ApiKey,
  Candle,
  Config,
  CurrentSession,
  EquityMark,
  Fill,
  LedgerEntry,
  Market,
  Me,
  Order,
  Page,
  Results,
  RuleSet,
  Session,
} from './types'

const RETRIES_MAX = 2
export const MARKETS_POLL_MS = 2_000
const ME_AGAIN_MS = 5_000
export const CANDLES_LIMIT = 500
export const HISTORY_LIMIT = 50
export const EQUITY_MARKS_MAX = 2_000
const PAGE_LIMIT_MAX = 200

export const queryClient = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof Problem && error.status === 401) forgetPerson()
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) =>
        failures < RETRIES_MAX && (!(error instanceof Problem) || error.status === 0 || error.status >= 500),
    },
  },
})

export const configQuery = queryOptions({
  queryKey: ['config'],
  queryFn: ({ signal }) => request<Config>('GET', '/v1/config', { signal }),
  staleTime: Number.POSITIVE_INFINITY,
})

/** Who is signed in; null when nobody is. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }): Promise<Me | null> => {
    const { me } = await request<CurrentSession>('GET', '/v1/auth/sessions/current', { signal })
    setCsrfToken(me?.csrf_token)
    return me
  },
  staleTime: 60_000,
})

export const marketsQuery = queryOptions({
  queryKey: ['markets'],
  queryFn: async ({ signal }) => (await request<{ items: Market[] }>('GET', '/v1/markets', { signal })).items,
})

/** What an account can be opened under. Rules never change under a name. */
export const ruleSetsQuery = queryOptions({
  queryKey: ['rule-sets'],
  queryFn: async ({ signal }) =>
    (await request<{ items: RuleSet[] }>('GET', '/v1/rule-sets', { signal })).items,
  staleTime: Number.POSITIVE_INFINITY,
})

/** Markets for a visitor without a socket: asked for again and again while the page is visible. */
export const polledMarketsQuery = queryOptions({
  ...marketsQuery,
  refetchInterval: MARKETS_POLL_MS,
  refetchOnWindowFocus: 'always',
  retry: false,
})

export const candlesQuery = (market: string, interval: string) =>
  queryOptions({
    queryKey: ['candles', market, interval],
    queryFn: async ({ signal }) => {
      const path = `/v1/markets/${encodeURIComponent(market)}/candles`
      const query = { interval, limit: CANDLES_LIMIT }
      return (await request<{ items: Candle[] }>('GET', path, { signal, query })).items
    },
    staleTime: 0,
  })

/**
 * A snapshot joined with what is known already. It may have been taken before an account was opened or an order filled
 * that this page has heard of since: what is known later stays.
 */
export function mergeAccounts(known: readonly Account[], fetched: readonly Account[]): Account[] {
  const newer = fetched.map((account) => {
    const held = known.find((one) => one.account_id === account.account_id)
    return held && held.seq > account.seq ? held : { ...account, positions: heldOnly(account.positions) }
  })
  const missing = known.filter((one) => !fetched.some((account) => account.account_id === one.account_id))
  return [...newer, ...missing]
}

/** The person's accounts. A snapshot older than what the socket already told never replaces it. */
export const accountsQuery = queryOptions({
  queryKey: ['accounts'],
  queryFn: async ({ signal }) => {
    const fetched = (await request<{ items: Account[] }>('GET', '/v1/accounts', { signal })).items
    return mergeAccounts(queryClient.getQueryData<Account[]>(['accounts']) ?? [], fetched)
  },
})

const HISTORY_KINDS = ['orders', 'fills', 'ledger', 'equity'] as const
export type HistoryKind = (typeof HISTORY_KINDS)[number]

export interface HistoryItem {
  orders: Order
  fills: Fill
  ledger: LedgerEntry
  equity: EquityMark
}

const accountPath = (accountId: string) => `/v1/accounts/${encodeURIComponent(accountId)}`

export function fetchHistory<K extends HistoryKind>(
  kind: K,
  accountId: string,
  options: { cursor?: string | null; limit?: number; signal?: AbortSignal } = {},
): Promise<Page<HistoryItem[K]>> {
  const { cursor, limit = HISTORY_LIMIT, signal } = options
  const path = `${accountPath(accountId)}/${kind}`
  return request('GET', path, { query: { cursor, limit }, ...(signal ? { signal } : {}) })
}

export const historyKey = (kind: HistoryKind, accountId: string) => ['history', kind, accountId] as const

/** The newest page of a history, as the trade page shows it. */
export const recentQuery = <K extends HistoryKind>(kind: K, accountId: string, limit = HISTORY_LIMIT) =>
  queryOptions({
    queryKey: [...historyKey(kind, accountId), 'recent', limit],
    queryFn: ({ signal }) => fetchHistory(kind, accountId, { signal, limit }),
  })

/** The orders that wait, newest first. */
export const openOrdersQuery = (accountId: string) =>
  queryOptions({
    queryKey: [...historyKey('orders', accountId), 'open'],
    queryFn: async ({ signal }) => {
      const query = { status: 'open' }
      const path = `${accountPath(accountId)}/orders`
      return (await request<{ items: Order[] }>('GET', path, { signal, query })).items
    },
  })

/** One order until it has ended: the socket tells, and while it is away the server is asked. */
export const orderQuery = (accountId: string, orderId: string) =>
  queryOptions({
    queryKey: [...historyKey('orders', accountId), 'one', orderId],
    queryFn: ({ signal }) =>
      request<Order>('GET', `${accountPath(accountId)}/orders/${encodeURIComponent(orderId)}`, { signal }),
  })

export const resultsQuery = (accountId: string, cycle: number) =>
  queryOptions({
    queryKey: ['results', accountId, cycle],
    queryFn: ({ signal }) => request<Results>('GET', `${accountPath(accountId)}/results`, { signal }),
    refetchInterval: 10_000,
  })

/** The marks of the running cycle, newest first, up to a limit; `cut` says that older ones were left out. */
export const curveQuery = (accountId: string, cycle: number) =>
  queryOptions({
    queryKey: [...historyKey('equity', accountId), 'curve', cycle],
    queryFn: async ({ signal }) => {
      const marks: EquityMark[] = []
      let cursor: string | null = null
      do {
        const page: Page<EquityMark> = await fetchHistory('equity', accountId, {
          cursor,
          signal,
          limit: PAGE_LIMIT_MAX,
        })
        marks.push(...page.items.filter((mark) => mark.cycle === cycle))
        cursor = page.items.every((mark) => mark.cycle === cycle) ? page.next_cursor : null
      } while (cursor !== null && marks.length < EQUITY_MARKS_MAX)
      return { marks, cut: cursor !== null }
    },
    refetchInterval: ({ state }) => (state.data?.marks.length ? 30_000 : 3_000),
  })

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: async ({ signal }) =>
    (await request<{ items: Session[] }>('GET', '/v1/auth/sessions', { signal })).items,
})

export const apiKeysQuery = queryOptions({
  queryKey: ['api-keys'],
  queryFn: async ({ signal }) =>
    (await request<{ items: ApiKey[] }>('GET', '/v1/api-keys', { signal })).items,
})

export function useMe() {
  return useQuery({ ...meQuery, refetchInterval: ({ state }) => state.status === 'error' && ME_AGAIN_MS })
}

/** The account the signed-in person looks at, a practice one unless chosen: undefined while loading, null without any. */
export function useAccount(): {
  account: Account | null | undefined
  error: Error | null
  retry: () => void
} {
  const me = useMe()
  const accounts = useQuery({ ...accountsQuery, enabled: Boolean(me.data) })
  const chosen = usePreferences((one) => one.account)
  const retry = () => void accounts.refetch()
  if (me.data === null) return { account: null, error: null, retry }
  if (!accounts.data) return { account: undefined, error: accounts.error, retry }
  const account =
    accounts.data.find((one) => one.account_id === chosen) ??
    accounts.data.find((one) => one.kind === 'practice') ??
    null
  return { account, error: null, retry }
}

/** Forget everything that belonged to a person: after sign-out, or when the session was revoked. */
export function forgetPerson() {
  setCsrfToken(undefined)
  queryClient.setQueryData(meQuery.queryKey, null)
  for (const key of ['accounts', 'history', 'results', 'sessions', 'api-keys', 'preview', 'clones']) {
    queryClient.removeQueries({ queryKey: [key] })
  }
  void queryClient.invalidateQueries({ queryKey: ['leaderboard'] })
}

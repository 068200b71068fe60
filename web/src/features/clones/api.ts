/** What everybody may ask about a clone, and what its owner may ask besides. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { Problem, request } from '@/api/client'
import type { Page } from '@/api/types'

const DECISIONS_LIMIT = 20
export const DECISIONS_POLL_MS = 5_000

export interface PublicClone {
  clone_id: string
  name: string
  bio: string
  owner_name: string
  status: 'draft' | 'ready'
  hidden: boolean
  version: number | null
  commitment: string | null
  created_ms: number
}

export interface PublicDecision {
  market: string
  action: string
  side: string | null
  share: string
  leverage: number
  code: string
  line: string
}

interface RunHead {
  run_id: string
  clone_id: string
  slot_ms: number
  state: string
  code: string | null
  finished_ms: number | null
}

export interface PublicRun extends RunHead {
  decisions: PublicDecision[]
}

export interface Proposal {
  market: string
  action: string
  side: string | null
  share: string
  leverage: number
  stop_price: string | null
  target_price: string | null
  confidence: string | null
  reason: string
}

export interface OwnerDecision {
  proposal: Proposal
  verdict: { allowed: boolean; code: string; detail: string }
  line: string
  order_ids: string[]
}

export interface Usage {
  model: string
  calls: number
  tokens_in: number
  tokens_out: number
  cost: string | null
  latency_ms: number
}

export interface OwnerRun extends RunHead {
  version: number
  deadline_ms: number
  detail: string | null
  decisions: OwnerDecision[]
  snapshot_sha256: string | null
  context_sha256: string | null
  prompt_sha256: string | null
  answer_sha256: string | null
  usage: Usage | null
}

export type Run = PublicRun | OwnerRun

/** Whether this is the form that only the owner is sent. */
export const isOwnerRun = (run: Run): run is OwnerRun => 'context_sha256' in run

export type ArtifactKind = 'context' | 'prompt' | 'answer'

const clonePath = (cloneId: string) => `/v1/clones/${encodeURIComponent(cloneId)}`

export const cloneQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'public', cloneId],
    queryFn: ({ signal }) => request<PublicClone>('GET', clonePath(cloneId), { signal }),
  })

export interface PublicDeployment {
  state: 'running' | 'paused' | 'stopped'
  version: number
  cadence_s: number
  next_slot_ms: number | null
  started_ms: number
}

/** Null while the clone was never let trade. */
export const deploymentQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'deployed', cloneId],
    queryFn: async ({ signal }) => {
      try {
        return await request<PublicDeployment>('GET', `${clonePath(cloneId)}/deployment`, { signal })
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null
        throw error
      }
    },
    refetchInterval: 15_000,
  })

/** Newest first. Asked for again while it is looked at: a decision comes at most once a minute. */
export const decisionsQuery = (cloneId: string) =>
  infiniteQueryOptions({
    queryKey: ['clones', 'decisions', cloneId],
    queryFn: ({ signal, pageParam }) =>
      request<Page<Run>>('GET', `${clonePath(cloneId)}/decisions`, {
        signal,
        query: { cursor: pageParam, limit: DECISIONS_LIMIT },
      }),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    refetchInterval: DECISIONS_POLL_MS,
  })

export const artifactQuery = (runId: string, kind: ArtifactKind) =>
  queryOptions({
    queryKey: ['clones', 'artifact', runId, kind],
    queryFn: ({ signal }) =>
      request<unknown>('GET', `/v1/decisions/${encodeURIComponent(runId)}/artifacts/${kind}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export interface EquityPoint {
  at_ms: number
  equity: string
  /** What buying and holding would have come to; null where a price is missing. */
  holding: string | null
}

export const equityQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'equity', cloneId],
    queryFn: async ({ signal }) => {
      try {
        return await request<{ items: EquityPoint[] }>('GET', `${clonePath(cloneId)}/equity`, { signal })
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null
        throw error
      }
    },
    refetchInterval: 30_000,
  })

export const reportClone = (cloneId: string, reason: string) =>
  request<void>('POST', `${clonePath(cloneId)}/reports`, { body: { reason } })

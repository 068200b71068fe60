/** What everybody may ask about a clone, and what its owner may ask besides. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { Problem, request } from '@/api/client'
import type { components } from '@/api/schema'
import type { Page } from '@/api/types'

type Schemas = components['schemas']

const DECISIONS_LIMIT = 20
const DECISIONS_POLL_MS = 5_000

export type PublicClone = Schemas['Clone']
export type PublicRun = Schemas['Decision']
export type OwnerRun = Schemas['OwnDecision']
export type OwnerDecision = Schemas['OwnDecisionLine']
export type Run = PublicRun | OwnerRun

/** Whether this is the form that only the owner is sent. */
export const isOwnerRun = (run: Run): run is OwnerRun => run.form === 'owner'

export type ArtifactKind = 'context' | 'prompt' | 'answer'

const clonePath = (cloneId: string) => `/v1/clones/${encodeURIComponent(cloneId)}`

export const cloneQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'public', cloneId],
    queryFn: ({ signal }) => request<PublicClone>('GET', clonePath(cloneId), { signal }),
  })

export type Deployment = Schemas['Deployment'] | Schemas['PublicDeployment']

/** Null while the clone was never let trade. */
export const deploymentQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'deployed', cloneId],
    queryFn: async ({ signal }) => {
      try {
        return await request<Deployment>('GET', `${clonePath(cloneId)}/deployment`, { signal })
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

export const equityQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'equity', cloneId],
    queryFn: async ({ signal }) => {
      try {
        return await request<Schemas['CloneEquity']>('GET', `${clonePath(cloneId)}/equity`, { signal })
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null
        throw error
      }
    },
    refetchInterval: 30_000,
  })

export const reportClone = (cloneId: string, reason: string) =>
  request<void>('POST', `${clonePath(cloneId)}/reports`, { body: { reason } })

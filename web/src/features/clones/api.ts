/** What the pages of clones ask and tell besides what is shared with others: evidence, replays, commitments, usage. */
import { queryOptions } from '@tanstack/react-query'
import { request } from '@/api/client'
import { clonePath, type OwnerClone } from '@/api/clones'
import type { components } from '@/api/schema'

type Schemas = components['schemas']

const MODEL_TIMEOUT_MS = 90_000

export type ArtifactKind = 'context' | 'prompt' | 'answer'
export type Commitment = Schemas['Commitment']
export type Revealed = Schemas['RevealedVersion']
export type Replay = Schemas['ReplayResult']
export type RuleNode = Schemas['RuleNode']

export const artifactQuery = (runId: string, kind: ArtifactKind) =>
  queryOptions({
    queryKey: ['clones', 'artifact', runId, kind],
    queryFn: ({ signal }) =>
      request<unknown>('GET', `/v1/decisions/${encodeURIComponent(runId)}/artifacts/${kind}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const commitmentsQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'commitments', cloneId],
    queryFn: async ({ signal }) =>
      (await request<{ items: Commitment[] }>('GET', `${clonePath(cloneId)}/commitments`, { signal })).items,
  })

export const readRevealed = (cloneId: string, version: number) =>
  request<Revealed>('GET', `${clonePath(cloneId)}/commitments/${version}/revealed`)

/** A version as its owner may read it. */
export const versionQuery = (cloneId: string, version: number) =>
  queryOptions({
    queryKey: ['clones', 'version', cloneId, version],
    queryFn: ({ signal }) =>
      request<Schemas['Version']>('GET', `${clonePath(cloneId)}/versions/${version}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const houseRulesQuery = queryOptions({
  queryKey: ['house-rules'],
  queryFn: async ({ signal }) =>
    (await request<Schemas['HouseStrategies']>('GET', '/v1/strategies/house', { signal })).items,
  staleTime: Number.POSITIVE_INFINITY,
})

/** What stands in for what decided then. */
export type Instead =
  | { model: string }
  | { prompt: string }
  | { model: string; prompt: string }
  | { rule: RuleNode }

export const replay = (runId: string, instead: Instead) =>
  request<Replay>('POST', `/v1/decisions/${encodeURIComponent(runId)}/replays`, {
    body: instead,
    timeoutMs: MODEL_TIMEOUT_MS,
  })

export const changeProfile = (cloneId: string, profile: { name: string; bio: string }) =>
  request<OwnerClone>('PATCH', clonePath(cloneId), { body: profile })

export const reportClone = (cloneId: string, reason: string) =>
  request<void>('POST', `${clonePath(cloneId)}/reports`, { body: { reason } })

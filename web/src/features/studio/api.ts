/** What the studio asks the server: clones, drafts, versions, dry runs, deployments. */
import { queryOptions } from '@tanstack/react-query'
import { request } from '@/api/client'
import { clonePath, type Deployment, type OwnerClone } from '@/api/clones'
import type { components } from '@/api/schema'
import type { StrategyDiff } from './diff'
import type { ServerDraft } from './drafts'
import type { StrategyProblem } from './problems'
import type { Doc, Layout, Strategy } from './strategy'

type Schemas = components['schemas']

const MODEL_TIMEOUT_MS = 90_000

export type VersionSummary = Schemas['VersionItem']

/** The strategy is typed by hand: the editor wants its unions discriminated. */
export interface VersionView extends VersionSummary {
  strategy: Strategy
  layout: Layout
}

export interface HouseStrategy {
  name: string
  title: string
  summary: string
  strategy: Strategy
}

export const houseQuery = queryOptions({
  queryKey: ['house-strategies'],
  queryFn: async ({ signal }) =>
    (await request<{ items: HouseStrategy[] }>('GET', '/v1/strategies/house', { signal })).items,
  staleTime: Number.POSITIVE_INFINITY,
})

export const versionsQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'versions', cloneId],
    queryFn: async ({ signal }) =>
      (await request<{ items: VersionSummary[] }>('GET', `${clonePath(cloneId)}/versions`, { signal })).items,
  })

export const diffQuery = (cloneId: string, before: number, after: number) =>
  queryOptions({
    queryKey: ['clones', 'diff', cloneId, before, after],
    queryFn: ({ signal }) =>
      request<StrategyDiff>('GET', `${clonePath(cloneId)}/versions/${before}/diff/${after}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })

export const createClone = (body: { name: string; bio: string }, idempotencyKey: string) =>
  request<OwnerClone>('POST', '/v1/clones', { body, idempotencyKey })

export const readDraft = (cloneId: string) => request<ServerDraft>('GET', `${clonePath(cloneId)}/draft`)

export const saveDraft = (
  cloneId: string,
  doc: Doc,
  base: { baseVersion: number | null; revision: number },
) =>
  request<ServerDraft>('PUT', `${clonePath(cloneId)}/draft`, {
    body: {
      strategy: doc.strategy,
      layout: doc.layout,
      base_version: base.baseVersion,
      revision: base.revision,
    },
  })

export const validate = async (strategy: Strategy, signal: AbortSignal) =>
  (
    await request<{ problems: StrategyProblem[] }>('POST', '/v1/strategies/validate', {
      body: { strategy },
      signal,
    })
  ).problems

export const readVersion = (cloneId: string, number: number) =>
  request<VersionView>('GET', `${clonePath(cloneId)}/versions/${number}`)

/** Show a version to everybody, for good. */
export const revealVersion = (cloneId: string, number: number) =>
  request<Schemas['Commitment']>('POST', `${clonePath(cloneId)}/versions/${number}/reveal`)

export const publish = (cloneId: string, doc: Doc, baseVersion: number | null, idempotencyKey: string) =>
  request<VersionView>('POST', `${clonePath(cloneId)}/versions`, {
    body: { base_version: baseVersion, strategy: doc.strategy, layout: doc.layout },
    idempotencyKey,
  })

export const deploy = (cloneId: string, ruleSet: string | undefined, idempotencyKey: string) =>
  request<Deployment>('POST', `${clonePath(cloneId)}/deployment`, {
    body: ruleSet ? { rule_set: ruleSet } : {},
    idempotencyKey,
  })

export const changeDeployment = (cloneId: string, to: 'pause' | 'resume' | 'stop') =>
  request<Deployment>('POST', `${clonePath(cloneId)}/deployment/${to}`)

export type DryRun = Schemas['DryRunResult']

export const dryRun = (cloneId: string, strategy: Strategy, market: string) =>
  request<DryRun>('POST', `${clonePath(cloneId)}/dry-runs`, {
    body: { strategy, market },
    timeoutMs: MODEL_TIMEOUT_MS,
  })

/** What everybody may ask about a clone, and what its owner may ask besides. The socket patches what is kept here. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { request } from './client'
import { queryClient } from './queries'
import type { components } from './schema'
import type { Page } from './types'

type Schemas = components['schemas']

const DECISIONS_LIMIT = 20
const DIRECTORY_LIMIT = 24
const FILLS_LIMIT = 50
const SHORT_MS = 60_000

export type PublicClone = Schemas['Clone']
export type OwnerClone = Schemas['OwnClone']
export type PublicDeployment = Schemas['PublicDeployment']
export type Deployment = Schemas['Deployment']
export type PublicRun = Schemas['Decision']
export type OwnerRun = Schemas['OwnDecision']
export type OwnerDecision = Schemas['OwnDecisionLine']
export type Run = PublicRun | OwnerRun
export type CloneEquity = Schemas['CloneEquity']
export type CloneUsage = Schemas['CloneUsage']

/** A fill of the account that a clone trades, as everybody is shown it. */
export type CloneFill = Schemas['CloneFillItem']

/** Whether this is the form that only the owner is sent. */
export const isOwnerRun = (run: Run): run is OwnerRun => run.form === 'owner'

export const clonePath = (cloneId: string) => `/v1/clones/${encodeURIComponent(cloneId)}`

export const directoryQuery = infiniteQueryOptions({
  queryKey: ['clones', 'directory'],
  queryFn: ({ signal, pageParam }) =>
    request<Page<PublicClone>>('GET', '/v1/clones/directory', {
      signal,
      query: { cursor: pageParam, limit: DIRECTORY_LIMIT },
    }),
  initialPageParam: null as string | null,
  getNextPageParam: (page) => page.next_cursor,
})

export const cloneQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'public', cloneId],
    queryFn: ({ signal }) => request<PublicClone>('GET', clonePath(cloneId), { signal }),
  })

/** The language models that may be named here, as "provider:model". */
export const modelsQuery = queryOptions({
  queryKey: ['models'],
  queryFn: async ({ signal }) => (await request<{ items: string[] }>('GET', '/v1/models', { signal })).items,
  staleTime: Number.POSITIVE_INFINITY,
})

export const myClonesQuery = queryOptions({
  queryKey: ['clones', 'mine'],
  queryFn: async ({ signal }) =>
    (await request<{ items: OwnerClone[] }>('GET', '/v1/clones', { signal })).items,
})

export const ownCloneQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'own', cloneId],
    queryFn: ({ signal }) => request<OwnerClone>('GET', `${clonePath(cloneId)}/private`, { signal }),
  })

/** Newest first. */
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
  })

/** Only for a clone that has a deployment: another one has no equity to ask for. */
export const equityQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'equity', cloneId],
    queryFn: ({ signal }) => request<CloneEquity>('GET', `${clonePath(cloneId)}/equity`, { signal }),
    staleTime: SHORT_MS,
  })

/** The newest fills of its account. */
export const fillsQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'fills', cloneId],
    queryFn: async ({ signal }): Promise<CloneFill[]> => {
      const path = `${clonePath(cloneId)}/fills`
      return (await request<Page<CloneFill>>('GET', path, { signal, query: { limit: FILLS_LIMIT } })).items
    },
  })

/** What its models took today, for the owner alone. */
export const usageQuery = (cloneId: string) =>
  queryOptions({
    queryKey: ['clones', 'usage', cloneId],
    queryFn: ({ signal }) => request<CloneUsage>('GET', `${clonePath(cloneId)}/usage`, { signal }),
  })

/** After a change the server has told: everywhere at once. */
export function putDeployment(cloneId: string, deployment: Deployment) {
  const patch = <C extends OwnerClone>(clone: C): C => ({ ...clone, deployment })
  queryClient.setQueryData(ownCloneQuery(cloneId).queryKey, (one) => one && patch(one))
  queryClient.setQueryData(myClonesQuery.queryKey, (all) =>
    all?.map((one) => (one.clone_id === cloneId ? patch(one) : one)),
  )
  void queryClient.invalidateQueries({ queryKey: cloneQuery(cloneId).queryKey })
}

/** After another name or bio. */
export function putClone(clone: OwnerClone) {
  queryClient.setQueryData(ownCloneQuery(clone.clone_id).queryKey, clone)
  queryClient.setQueryData(myClonesQuery.queryKey, (all) =>
    all?.map((one) => (one.clone_id === clone.clone_id ? clone : one)),
  )
  void queryClient.invalidateQueries({ queryKey: cloneQuery(clone.clone_id).queryKey })
  void queryClient.invalidateQueries({ queryKey: directoryQuery.queryKey })
}

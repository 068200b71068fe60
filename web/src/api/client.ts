/** The one way the page talks to the API: same origin, cookie session, problem details on refusal. */

import { sentence } from '@/lib/format'

const REQUEST_TIMEOUT_MS = 12_000

/** A refusal of the server, with its stable code, or the reason nothing came back. */
export class Problem extends Error {
  readonly code: string
  readonly status: number
  readonly field: string | undefined
  readonly retryAfterMs: number | undefined
  /** Everything the server said, for refusals that carry more than a text. */
  readonly body: Readonly<Record<string, unknown>>

  constructor(given: {
    code: string
    status: number
    detail: string
    field?: string
    retryAfterMs?: number
    body?: Record<string, unknown>
  }) {
    super(given.detail)
    this.name = 'Problem'
    this.code = given.code
    this.status = given.status
    this.field = given.field
    this.retryAfterMs = given.retryAfterMs
    this.body = given.body ?? {}
  }

  /** Whether the server may have carried the request out although no answer arrived. */
  get outcomeUnknown(): boolean {
    return this.status === 0 || this.status >= 500
  }
}

let csrfToken: string | undefined

/** Unsafe requests carry this token; a new session and the question who is signed in give it. */
export function setCsrfToken(token: string | null | undefined) {
  csrfToken = token ?? undefined
}

export interface RequestOptions {
  body?: unknown
  idempotencyKey?: string
  query?: Record<string, string | number | undefined | null>
  signal?: AbortSignal
  /** For what takes the server longer than a moment, such as asking a language model. */
  timeoutMs?: number
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Send a request and read its JSON. Throws Problem; an unreachable server is status 0. */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? REQUEST_TIMEOUT_MS)
  const init: RequestInit = {
    method,
    headers: headersFor(method, options),
    credentials: 'same-origin',
    signal: options.signal ? AbortSignal.any([options.signal, timeout]) : timeout,
  }
  if (method !== 'GET' && options.body !== undefined) init.body = JSON.stringify(options.body)

  let response: Response
  try {
    response = await fetch(withQuery(path, options.query), init)
  } catch (error) {
    if (options.signal?.aborted) throw error
    const code = timeout.aborted ? 'timeout' : 'unreachable'
    throw new Problem({
      code,
      status: 0,
      detail: 'The server did not answer. Check the connection and try again.',
    })
  }
  if (!response.ok) throw await problemOf(response)
  return (response.status === 204 ? undefined : await response.json()) as T
}

function headersFor(method: Method, options: RequestOptions): Record<string, string> {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (method === 'GET') return headers
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  if (csrfToken) headers['X-CSRF-Token'] = csrfToken
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey
  return headers
}

function withQuery(path: string, query: RequestOptions['query']): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) params.set(name, String(value))
  }
  const text = params.toString()
  return text ? `${path}?${text}` : path
}

async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => undefined)
  const given = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const text = (name: string) => (typeof given[name] === 'string' ? (given[name] as string) : undefined)
  const field = text('field')
  const retryAfterMs = given.retry_after_ms
  return new Problem({
    code: text('code') ?? `http_${response.status}`,
    status: response.status,
    detail: sentence(text('detail') ?? text('title') ?? `The server answered ${response.status}.`),
    body: given,
    ...(field === undefined ? {} : { field }),
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  })
}

/** A fresh key for one intent of the person: kept when the same intent is sent again. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

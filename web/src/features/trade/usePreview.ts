import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { request } from '@/api/client'
import type { OrderBody, Preview } from '@/api/types'

const DEBOUNCE_MS = 250
const REFRESH_MS = 2_000

/** What the order would cost now: asked once typing pauses and again every two seconds. */
export function usePreview(accountId: string | undefined, body: OrderBody | undefined) {
  const wanted = body ? JSON.stringify(body) : undefined
  const settled = useDebounced(wanted)
  const current = settled === wanted
  const query = useQuery({
    queryKey: ['preview', accountId, settled],
    queryFn: ({ signal }) =>
      request<Preview>('POST', `/v1/accounts/${encodeURIComponent(accountId ?? '')}/orders/preview`, {
        body: JSON.parse(settled ?? '{}'),
        signal,
      }),
    enabled: accountId !== undefined && settled !== undefined,
    refetchInterval: REFRESH_MS,
    staleTime: 0,
    gcTime: 10_000,
    retry: false,
    placeholderData: keepPreviousData,
  })
  const usable = body !== undefined && settled !== undefined && accountId !== undefined
  return {
    /** The last answer, perhaps for what was typed a moment ago: see `current`. */
    preview: usable ? query.data : undefined,
    current: current && !query.isPlaceholderData,
    error: usable && !query.isPlaceholderData ? query.error : null,
  }
}

function useDebounced(value: string | undefined): string | undefined {
  const [settled, setSettled] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), DEBOUNCE_MS)
    return () => clearTimeout(timer)
  }, [value])
  return settled
}

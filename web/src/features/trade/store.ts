/** The ticket as typed, and what became of the last order. Outlives a change of page, not a reload. */
import { create } from 'zustand'
import { newIdempotencyKey, Problem, request } from '@/api/client'
import { accountsQuery, historyKey, queryClient } from '@/api/queries'
import type { Order, OrderBody, Side } from '@/api/types'
import { useStatus } from '@/live/status'
import { type Intent, intentFor } from './intent'
import type { Estimate, Typed } from './ticket'

export type Outcome =
  | { kind: 'done'; order: Order; estimate: Estimate | undefined }
  | { kind: 'refused'; reason: string }
  /** No answer came: the order may or may not have arrived. Sending the same intent again is safe. */
  | { kind: 'unknown'; reason: string }

interface Ticket {
  typed: Typed
  sending: boolean
  outcome: Outcome | undefined
}

export const useTicket = create<Ticket>(() => ({
  typed: { side: 'buy', unit: 'quote', amount: '', slippageBps: null },
  sending: false,
  outcome: undefined,
}))

export function type(change: Partial<Typed>) {
  useTicket.setState(({ typed }) => ({ typed: { ...typed, ...change } }))
}

/** Choose a side. An amount typed for the other side is kept: it is still what was typed. */
export const chooseSide = (side: Side) => type({ side })

export const dismissOutcome = () => useTicket.setState({ outcome: undefined })

let unresolved: Intent | undefined

/** Send the order once; its answer becomes the outcome. */
export async function sendOrder(
  accountId: string,
  body: OrderBody,
  estimate: Estimate | undefined,
): Promise<void> {
  if (useTicket.getState().sending) return
  const intent = intentFor(unresolved, accountId, body, newIdempotencyKey)
  unresolved = intent
  useTicket.setState({ sending: true, outcome: undefined })
  const outcome = await send(intent, estimate)
  if (outcome.kind !== 'unknown') unresolved = undefined
  useTicket.setState(({ typed }) => ({
    sending: false,
    outcome,
    typed: outcome.kind === 'done' && outcome.order.status === 'filled' ? { ...typed, amount: '' } : typed,
  }))
}

/** Send the order whose answer never came, exactly as it was. */
export async function resendOrder(): Promise<void> {
  if (unresolved) await sendOrder(unresolved.accountId, unresolved.body, undefined)
}

async function send(intent: Intent, estimate: Estimate | undefined): Promise<Outcome> {
  try {
    const path = `/v1/accounts/${encodeURIComponent(intent.accountId)}/orders`
    const order = await request<Order>('POST', path, { body: intent.body, idempotencyKey: intent.key })
    refetchWithoutSocket(intent.accountId)
    return { kind: 'done', order, estimate }
  } catch (error) {
    if (error instanceof Problem && !error.outcomeUnknown) return { kind: 'refused', reason: error.message }
    const reason = error instanceof Error ? error.message : 'No answer came.'
    return { kind: 'unknown', reason }
  }
}

/** The socket tells what an order changed. While it is away, ask. */
function refetchWithoutSocket(accountId: string) {
  if (useStatus.getState().phase.name === 'open') return
  void queryClient.invalidateQueries(accountsQuery)
  void queryClient.invalidateQueries({ queryKey: historyKey('fills', accountId) })
  void queryClient.invalidateQueries({ queryKey: historyKey('orders', accountId) })
}

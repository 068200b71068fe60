/** The ticket as typed, and what became of the last order. Outlives a change of page, not a reload. */
import { create } from 'zustand'
import { newIdempotencyKey, Problem, request } from '@/api/client'
import { accountsQuery, historyKey, orderQuery, queryClient } from '@/api/queries'
import type { Order, OrderBody, OrderKind, Side } from '@/api/types'
import { useStatus } from '@/live/status'
import type { Estimate } from './costs'
import { type Intent, intentFor } from './intent'
import { type Typed, UNTYPED } from './ticket'

export type Outcome =
  /** The server answered. An accepted order is followed from here: see `orderQuery`. */
  | { kind: 'done'; order: Order; estimate: Estimate | undefined }
  | { kind: 'refused'; reason: string }
  /** No answer came: the order may or may not have arrived. Sending the same intent again is safe. */
  | { kind: 'unknown'; reason: string }

interface Ticket {
  typed: Typed
  /** The market that prices and sizes were typed for. */
  market: string | undefined
  sending: boolean
  outcome: Outcome | undefined
}

export const useTicket = create<Ticket>(() => ({
  typed: UNTYPED,
  market: undefined,
  sending: false,
  outcome: undefined,
}))

export function type(change: Partial<Typed>) {
  useTicket.setState(({ typed }) => ({ typed: { ...typed, ...change } }))
}

/** Choose a side. An amount typed for the other side is kept: it is still what was typed. */
export const chooseSide = (side: Side) => type({ side })

/** Only a market order can be sized in USD: an amount typed so belongs to that. */
export function chooseKind(kind: OrderKind) {
  const { typed } = useTicket.getState()
  type(kind !== 'market' && typed.unit === 'quote' ? { kind, unit: 'base', amount: '' } : { kind })
}

/** Another market has other prices and lots: what was typed in those is forgotten, an amount in USD is not. */
export function enterMarket(market: string) {
  const { typed, market: before } = useTicket.getState()
  if (before === market) return
  useTicket.setState({ market })
  if (before === undefined) return
  const amount = typed.unit === 'base' ? { amount: '' } : {}
  type({ limit: '', trigger: '', stop: '', target: '', ...amount })
}

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
    typed: wasTaken(outcome) ? { ...typed, amount: '', stop: '', target: '' } : typed,
  }))
}

const wasTaken = (outcome: Outcome) =>
  outcome.kind === 'done' && (outcome.order.status === 'filled' || outcome.order.status === 'accepted')

/** Send the order whose answer never came, exactly as it was. */
export async function resendOrder(): Promise<void> {
  if (unresolved) await sendOrder(unresolved.accountId, unresolved.body, undefined)
}

async function send(intent: Intent, estimate: Estimate | undefined): Promise<Outcome> {
  try {
    const order = await placeOrder(intent.accountId, intent.body, intent.key)
    return { kind: 'done', order, estimate }
  } catch (error) {
    if (error instanceof Problem && !error.outcomeUnknown) return { kind: 'refused', reason: error.message }
    const reason = error instanceof Error ? error.message : 'No answer came.'
    return { kind: 'unknown', reason }
  }
}

/** Place an order and take the first answer: what an accepted one comes to, the socket tells. */
export async function placeOrder(accountId: string, body: OrderBody, key: string): Promise<Order> {
  const path = `/v1/accounts/${encodeURIComponent(accountId)}/orders`
  const order = await request<Order>('POST', path, { body, idempotencyKey: key, query: { wait_ms: 0 } })
  const { queryKey } = orderQuery(accountId, order.order_id)
  // A frame may have been faster than this answer, which is then the older of the two.
  queryClient.setQueryData(queryKey, (known: Order | undefined) => known ?? order)
  if (order.status === 'accepted') void queryClient.invalidateQueries({ queryKey })
  refetchWithoutSocket(accountId)
  return order
}

/** Cancel one open order, or all. Throws Problem. */
export async function cancelOrders(accountId: string, orderId?: string): Promise<void> {
  const path = `/v1/accounts/${encodeURIComponent(accountId)}/orders`
  await request('DELETE', orderId === undefined ? path : `${path}/${encodeURIComponent(orderId)}`)
  refetchWithoutSocket(accountId)
}

/** The socket tells what an order changed. While it is away, ask. */
function refetchWithoutSocket(accountId: string) {
  if (useStatus.getState().phase.name === 'open') return
  void queryClient.invalidateQueries(accountsQuery)
  void queryClient.invalidateQueries({ queryKey: historyKey('fills', accountId) })
  void queryClient.invalidateQueries({ queryKey: historyKey('orders', accountId) })
}

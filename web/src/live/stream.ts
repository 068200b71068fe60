/** Joins the socket to the page: prices to their store, private frames into the query cache, gaps to a refetch. */
import { askAgain } from '@/api/again'
import { Problem, request } from '@/api/client'
import {
  accountsQuery,
  configQuery,
  forgetPerson,
  historyKey,
  marketsQuery,
  meQuery,
  orderQuery,
  queryClient,
  recentQuery,
} from '@/api/queries'
import type { Account, Fill, Order, Page, StreamTicket } from '@/api/types'
import { formatWire } from '@/lib/format'
import { announce } from './announce'
import type { FillFrame, Frame, PrivateFrame } from './frames'
import { applyFrame, orderAfter, orderIdOf, verdictOn } from './gaps'
import { putMarkets, putPriceUpdate } from './prices'
import { LiveSocket } from './socket'
import { useStatus } from './status'
import { onSubject, onSubscribed, subjectsFor } from './subjects'

const subscribed = new Map<string, boolean>()
let repairing = false
let announced: string | undefined

const socket = new LiveSocket({
  url: async () => (await queryClient.ensureQueryData(configQuery)).ws_url,
  ticket,
  onFrame,
  onPhase: (phase) => {
    if (phase.name !== 'open') {
      subscribed.clear()
      subjects.lost()
    }
    useStatus.setState({ phase })
  },
  onSnapshot: () => void takeSnapshot(),
  onSessionEnded: forgetPerson,
})
const subjects = subjectsFor((message) => socket.send(message))

/** Try to reach the server at once: by the socket, or by asking for prices where there is none. */
export function retryNow() {
  if (useStatus.getState().wanted) socket.retryNow()
  else void queryClient.refetchQueries({ queryKey: marketsQuery.queryKey })
}

async function ticket(): Promise<string> {
  try {
    return (await request<StreamTicket>('POST', '/v1/stream/tickets')).ticket
  } catch (error) {
    if (error instanceof Problem && error.status === 401) forgetPerson()
    // Another tab signed in anew: its session has another token.
    if (error instanceof Problem && error.code === 'csrf_mismatch')
      void queryClient.invalidateQueries(meQuery)
    throw error
  }
}

/** Open the socket for the person who is signed in. Returns how to close it again. */
export function startStream(): () => void {
  const onVisible = () => document.visibilityState === 'visible' && socket.wake()
  useStatus.setState({ wanted: true })
  socket.start()
  document.addEventListener('visibilitychange', onVisible)
  window.addEventListener('online', socket.cameOnline)
  window.addEventListener('offline', socket.wentOffline)
  return () => {
    document.removeEventListener('visibilitychange', onVisible)
    window.removeEventListener('online', socket.cameOnline)
    window.removeEventListener('offline', socket.wentOffline)
    socket.stop()
    useStatus.setState({ wanted: false })
  }
}

/** Follow an account from the sequence number its snapshot carries. */
export function followAccount(account: Account) {
  if (subscribed.get(account.account_id) || useStatus.getState().phase.name !== 'open') return
  subscribed.set(account.account_id, true)
  socket.send({
    type: 'subscribe',
    channel: 'account',
    account_id: account.account_id,
    after_seq: account.seq,
  })
}

/** REST first, then resume each channel from what the snapshot knew: nothing is missed in between. */
async function takeSnapshot() {
  subjects.opened()
  askAgain()
  await Promise.allSettled([
    queryClient.fetchQuery({ ...marketsQuery, staleTime: 0 }).then((markets) => {
      putMarkets(markets, Date.now())
      socket.send({ type: 'subscribe', channel: 'price', markets: markets.map((one) => one.market) })
    }),
    queryClient.fetchQuery({ ...accountsQuery, staleTime: 0 }).then((accounts) => {
      for (const account of accounts) followAccount(account)
    }),
    queryClient.invalidateQueries({ queryKey: ['history'] }),
    queryClient.invalidateQueries({ queryKey: ['candles'] }),
  ])
}

function onFrame(frame: Frame, nowMs: number) {
  switch (frame.type) {
    case 'price_update':
      return putPriceUpdate(frame, nowMs)
    case 'order_fill':
    case 'order_reject':
    case 'order_update':
    case 'portfolio_update':
    case 'position_update':
    case 'account_status':
      return onPrivate(frame)
    case 'subscribed':
      return onSubscribed(frame)
    case 'clone_decision':
    case 'clone_fill':
    case 'clone_equity':
    case 'clone_published':
    case 'clone_profile':
    case 'clone_deployment':
    case 'clone_account':
    case 'backtest_progress':
      return onSubject(frame)
  }
}

function onPrivate(frame: PrivateFrame) {
  const accounts = queryClient.getQueryData(accountsQuery.queryKey)
  const account = accounts?.find((one) => one.account_id === frame.account_id)
  if (!accounts || !account) return
  const verdict = verdictOn(account.seq, frame.seq)
  if (verdict === 'duplicate') return
  if (frame.type === 'order_fill') onFill(frame)
  followOrder(frame)
  const next = verdict === 'apply' ? applyFrame(account, frame) : undefined
  if (!next) return void repair(frame.account_id)

  queryClient.setQueryData(
    accountsQuery.queryKey,
    accounts.map((one) => (one === account ? next : one)),
  )
  if (frame.type === 'account_status') void repair(frame.account_id)
  if (frame.type === 'portfolio_update' || frame.type === 'position_update') {
    void queryClient.invalidateQueries({ queryKey: historyKey('ledger', frame.account_id) })
  } else {
    void queryClient.invalidateQueries({ queryKey: historyKey('orders', frame.account_id) })
  }
}

/** Whoever waits for an order sees at once what became of it. */
function followOrder(frame: PrivateFrame) {
  const orderId = orderIdOf(frame)
  if (orderId === undefined) return
  queryClient.setQueryData(
    orderQuery(frame.account_id, orderId).queryKey,
    (order: Order | undefined) => order && (orderAfter(order, frame) ?? order),
  )
}

/** A hole or a reset: the server's snapshot is the truth, and everything told before it is forgotten. */
async function repair(accountId: string) {
  if (repairing) return
  repairing = true
  try {
    await queryClient.fetchQuery({ ...accountsQuery, staleTime: 0 })
    await queryClient.invalidateQueries({ queryKey: ['history'] })
  } finally {
    repairing = false
    // Frames that came during the fetch are replayed by subscribing anew after the snapshot's number.
    socket.send({ type: 'unsubscribe', channel: 'account', account_id: accountId })
    subscribed.delete(accountId)
    const accounts = queryClient.getQueryData(accountsQuery.queryKey)
    const account = accounts?.find((one) => one.account_id === accountId)
    if (account) followAccount(account)
  }
}

function onFill(frame: FillFrame) {
  const fill: Fill = {
    ...frame.fill,
    order_id: frame.order_id,
    market: frame.market,
    side: frame.side,
    version: 0,
  }
  const { queryKey } = recentQuery('fills', frame.account_id)
  if (queryClient.getQueryData(queryKey) === undefined) {
    // The first answer may have been made before this fill: ask again instead of dropping it.
    void queryClient.invalidateQueries({ queryKey, exact: true })
  }
  queryClient.setQueryData(
    queryKey,
    (page: Page<Fill> | undefined) =>
      page && { ...page, items: [fill, ...page.items.filter((one) => one.fill_id !== fill.fill_id)] },
  )
  void queryClient.invalidateQueries({ queryKey: [...historyKey('fills', frame.account_id), 'pages'] })
  if (fill.fill_id === announced) return
  announced = fill.fill_id
  const verb = frame.side === 'buy' ? 'Bought' : 'Sold'
  const base = frame.market.split('-')[0]
  announce(`${verb} ${formatWire(fill.quantity, 0)} ${base} at ${formatWire(fill.price, 2)}`)
}

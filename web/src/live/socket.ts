/** The one WebSocket: runs the connection machine, authenticates, and hands frames on. Knows no product rule. */
import { type Event, type Phase, step } from './connection'
import { type Frame, parseFrame } from './frames'

const TICK_MS = 1_000

export interface SocketHooks {
  url: () => Promise<string>
  ticket: () => Promise<string>
  onFrame: (frame: Frame, nowMs: number) => void
  onPhase: (phase: Phase) => void
  /** Authenticated again, or awake again: take a snapshot and subscribe. */
  onSnapshot: () => void
  onSessionEnded: () => void
}

export class LiveSocket {
  private phase: Phase = { name: 'idle' }
  private socket: WebSocket | undefined
  /** Counts connections, so that what an abandoned one still says is not listened to. */
  private generation = 0
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(private readonly hooks: SocketHooks) {}

  start() {
    this.timer ??= setInterval(
      () => this.dispatch({ type: 'tick', nowMs: Date.now(), jitter: Math.random() }),
      TICK_MS,
    )
    this.dispatch({ type: 'start', nowMs: Date.now() })
    if (!navigator.onLine) this.dispatch({ type: 'offline' })
  }

  stop() {
    clearInterval(this.timer)
    this.timer = undefined
    this.dispatch({ type: 'stop' })
  }

  retryNow = () => this.dispatch({ type: 'retry', nowMs: Date.now() })
  wake = () => this.dispatch({ type: 'wake', nowMs: Date.now() })
  wentOffline = () => this.dispatch({ type: 'offline' })
  cameOnline = () => this.dispatch({ type: 'online', nowMs: Date.now() })

  /** Send when open; what cannot be sent now is part of the next snapshot. */
  send(message: Record<string, unknown>) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message))
  }

  private dispatch(event: Event) {
    const { phase, effects } = step(this.phase, event)
    const changed = phase !== this.phase
    this.phase = phase
    if (changed) this.hooks.onPhase(phase)
    for (const effect of effects) {
      if (effect === 'connect') void this.connect()
      else if (effect === 'disconnect') this.disconnect()
      else if (effect === 'ping') this.send({ type: 'ping' })
      else if (effect === 'snapshot') this.hooks.onSnapshot()
      else this.hooks.onSessionEnded()
    }
  }

  private disconnect() {
    this.generation += 1
    this.socket?.close()
    this.socket = undefined
  }

  private async connect() {
    this.disconnect()
    const generation = this.generation
    const current = () => generation === this.generation
    try {
      const [url, ticket] = await Promise.all([this.hooks.url(), this.hooks.ticket()])
      if (!current()) return
      this.open(url, ticket, current)
    } catch {
      // The reason is shown as "reconnecting": a ticket cannot be had while the API is away.
      if (current()) this.dispatch({ type: 'closed', nowMs: Date.now(), code: 0, jitter: Math.random() })
    }
  }

  private open(url: string, ticket: string, current: () => boolean) {
    const socket = new WebSocket(url)
    this.socket = socket
    socket.onopen = () => current() && this.send({ type: 'authenticate', ticket })
    socket.onmessage = ({ data }) => {
      const frame = current() ? parseFrame(data) : undefined
      if (!frame) return
      const nowMs = Date.now()
      if (frame.type === 'authenticated') this.dispatch({ type: 'ready', nowMs })
      else this.dispatch({ type: 'message', nowMs })
      this.hooks.onFrame(frame, nowMs)
    }
    socket.onclose = ({ code }) => {
      if (current()) this.dispatch({ type: 'closed', nowMs: Date.now(), code, jitter: Math.random() })
    }
  }
}

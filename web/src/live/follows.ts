/**
 * Who follows which clone or backtest over the socket. Many components may follow one: it is subscribed to once, and
 * again after the socket was lost. Knows no query; what the socket says is handled elsewhere.
 */

export type Channel = 'clone' | 'backtest'

export interface FollowHooks {
  send: (message: Record<string, unknown>) => void
  /** Which keys the socket follows now. */
  onLive: (live: ReadonlySet<string>) => void
}

export const followKey = (channel: Channel, id: string) => `${channel} ${id}`

export class Follows {
  private readonly followers = new Map<string, number>()
  private readonly live = new Set<string>()
  private isOpen = false

  constructor(private readonly hooks: FollowHooks) {}

  /** Follow from now on. Returns how to stop. */
  follow(channel: Channel, id: string): () => void {
    const key = followKey(channel, id)
    const others = this.followers.get(key) ?? 0
    this.followers.set(key, others + 1)
    if (others === 0 && this.isOpen) this.subscribe(key)
    return () => this.leave(key)
  }

  /** The socket takes frames now: subscribe to everything that is followed and not live yet. */
  opened() {
    this.isOpen = true
    for (const key of this.followers.keys()) if (!this.live.has(key)) this.subscribe(key)
  }

  lost() {
    this.isOpen = false
    if (this.live.size === 0) return
    this.live.clear()
    this.hooks.onLive(new Set())
  }

  /** The server has answered a subscription. Returns what is followed, nothing when nobody wants it any more. */
  answered(key: unknown): { channel: Channel; id: string } | undefined {
    if (typeof key !== 'string' || !this.followers.has(key)) return undefined
    this.live.add(key)
    this.hooks.onLive(new Set(this.live))
    const [channel, id] = key.split(' ')
    return { channel: channel as Channel, id: id ?? '' }
  }

  private subscribe(key: string) {
    this.hooks.send({ type: 'subscribe', id: key, ...subjectOf(key) })
  }

  private leave(key: string) {
    const left = (this.followers.get(key) ?? 0) - 1
    if (left > 0) {
      this.followers.set(key, left)
      return
    }
    this.followers.delete(key)
    if (this.isOpen) this.hooks.send({ type: 'unsubscribe', ...subjectOf(key) })
    if (this.live.delete(key)) this.hooks.onLive(new Set(this.live))
  }
}

function subjectOf(key: string): Record<string, string> {
  const [channel = '', id = ''] = key.split(' ')
  return { channel, [`${channel}_id`]: id }
}

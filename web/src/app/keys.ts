/** Keys to actions: pure, so that "never while typing" can be tested. */

export type Action =
  | { do: 'go'; to: '/' | '/trade' | '/portfolio' | '/leaderboard' | '/clones' | '/studio' | '/settings' }
  | { do: 'side'; side: 'buy' | 'sell' }
  | { do: 'type'; type: 'market' | 'limit' }
  | { do: 'search' }
  | { do: 'help' }

export interface Press {
  key: string
  ctrl: boolean
  meta: boolean
  alt: boolean
  /** The focus is in a field, or a dialog is open. */
  typing: boolean
}

/** How long after `g` the letter may come. */
export const CHORD_MS = 1_500

const PAGES = {
  h: '/',
  t: '/trade',
  p: '/portfolio',
  l: '/leaderboard',
  c: '/studio',
  d: '/clones',
  s: '/settings',
} as const

export interface Read {
  action?: Action
  /** Set while `g` waits for its letter. */
  chordMs?: number
}

/** What a key press means, given when `g` was last pressed. */
export function readPress(press: Press, chordMs: number | undefined, nowMs: number): Read {
  if (press.typing || press.ctrl || press.meta || press.alt) return {}
  const key = press.key.toLowerCase()
  if (chordMs !== undefined && nowMs - chordMs <= CHORD_MS) {
    const to = PAGES[key as keyof typeof PAGES]
    return to ? { action: { do: 'go', to } } : {}
  }
  switch (key) {
    case 'g':
      return { chordMs: nowMs }
    case 'b':
      return { action: { do: 'side', side: 'buy' } }
    case 's':
      return { action: { do: 'side', side: 'sell' } }
    case 'm':
      return { action: { do: 'type', type: 'market' } }
    case 'l':
      return { action: { do: 'type', type: 'limit' } }
    case '/':
      return { action: { do: 'search' } }
    case '?':
      return { action: { do: 'help' } }
    default:
      return {}
  }
}

export const HELP: readonly [keys: string, meaning: string][] = [
  ['b  s', 'Buy side, sell side of the ticket'],
  ['m  l', 'Market order, limit order'],
  ['/', 'Search markets'],
  ['g then t', 'Trade'],
  ['g then p', 'Portfolio'],
  ['g then l', 'Leaderboard'],
  ['g then c', 'Studio: my clones'],
  ['g then d', "Directory: everybody's clones"],
  ['g then s', 'Settings'],
  ['g then h', 'Home'],
  ['?', 'This help'],
]

/** What the browser's tab and a screen reader call a page: pure. */

const NAME = 'Pump Party'
const PAGES: Readonly<Record<string, string>> = {
  trade: 'Trade',
  portfolio: 'Portfolio',
  leaderboard: 'Leaderboard',
  settings: 'Settings',
  clones: 'Clones',
  studio: 'Studio',
}

export function titleOf(path: string, market: string | undefined): string {
  const page = PAGES[path.split('/')[1] ?? '']
  return [page === 'Trade' ? market : undefined, page, NAME].filter(Boolean).join(' · ')
}

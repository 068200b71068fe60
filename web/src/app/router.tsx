import { createRootRoute, createRoute, createRouter, Link } from '@tanstack/react-router'
import { HomePage } from '@/features/home/HomePage'
import { TradePage } from '@/features/trade/TradePage'
import { boardSearch } from '@/lib/board'
import { INTERVALS, type Interval } from '@/lib/candles'
import { Button } from '@/ui/Button'
import { Shell } from './Shell'

const MARKET = /^[A-Za-z0-9]{1,20}-[A-Za-z0-9]{1,20}$/

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Broken })

const home = createRoute({ getParentRoute: () => root, path: '/', component: HomePage })

const trade = createRoute({
  getParentRoute: () => root,
  path: '/trade',
  component: TradePage,
  validateSearch: (search: Record<string, unknown>): { market?: string; interval?: Interval } => {
    const { market, interval } = search
    return {
      ...(typeof market === 'string' && MARKET.test(market) ? { market: market.toUpperCase() } : {}),
      ...(INTERVALS.includes(interval as Interval) ? { interval: interval as Interval } : {}),
    }
  },
})

const portfolio = createRoute({ getParentRoute: () => root, path: '/portfolio' }).lazy(() =>
  import('./pages/portfolio').then((page) => page.Route),
)

const leaderboard = createRoute({
  getParentRoute: () => root,
  path: '/leaderboard',
  validateSearch: boardSearch,
}).lazy(() => import('./pages/leaderboard').then((page) => page.Route))

const settings = createRoute({ getParentRoute: () => root, path: '/settings' }).lazy(() =>
  import('./pages/settings').then((page) => page.Route),
)

const studio = createRoute({ getParentRoute: () => root, path: '/studio' }).lazy(() =>
  import('./pages/studio').then((page) => page.Route),
)

const editor = createRoute({ getParentRoute: () => root, path: '/studio/$id' }).lazy(() =>
  import('./pages/editor').then((page) => page.Route),
)

const clones = createRoute({ getParentRoute: () => root, path: '/clones' }).lazy(() =>
  import('./pages/clones').then((page) => page.Route),
)

const clone = createRoute({ getParentRoute: () => root, path: '/clones/$id' }).lazy(() =>
  import('./pages/clone').then((page) => page.Route),
)

export const router = createRouter({
  routeTree: root.addChildren([home, trade, portfolio, leaderboard, settings, studio, editor, clones, clone]),
  defaultPreload: 'intent',
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}

function NotFound() {
  return (
    <div className="space-y-3 py-12">
      <h1 className="text-xl font-semibold">There is no such page.</h1>
      <Link to="/" className="link text-accent">
        Back to the start
      </Link>
    </div>
  )
}

function Broken({ error }: { error: unknown }) {
  return (
    <div className="mx-auto max-w-xl space-y-3 p-8">
      <h1 className="text-xl font-semibold">This page broke.</h1>
      <p className="text-muted">
        Your account and orders are safe on the server. {error instanceof Error ? error.message : ''}
      </p>
      <Button onClick={() => location.reload()}>Reload</Button>
    </div>
  )
}

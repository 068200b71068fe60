import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect } from 'react'
import { SessionMenu } from '@/features/auth/SessionMenu'
import { MarginCall } from '@/features/trade/MarginCall'
import { useAnnouncement } from '@/live/announce'
import { type DialogName, openDialog } from '@/ui/dialogs'
import { ConnectionNotice, ConnectionState, Feed } from './Connection'
import { Dialogs } from './Dialogs'
import { LiveSources } from './LiveSources'
import { Shortcuts } from './Shortcuts'
import { titleOf } from './title'

const PAGES = [
  ['/trade', 'Trade'],
  ['/clones', 'Clones'],
  ['/studio', 'Studio'],
  ['/portfolio', 'Portfolio'],
  ['/leaderboard', 'Leaderboard'],
] as const

/** The frame of every page: name, pages, feed, connection, session. */
export function Shell() {
  const { pathname, search } = useLocation()
  const title = titleOf(pathname, search.market)
  useEffect(() => {
    document.title = title
  }, [title])
  return (
    <>
      <a
        href="#main"
        className="sr-only focus:not-sr-only focus:fixed focus:z-50 focus:bg-accent focus:p-2 focus:text-on-accent"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-30 border-b border-line bg-bg">
        <div className="mx-auto flex h-13 max-w-[1400px] items-center gap-3 px-3 sm:px-6">
          <Link
            to="/"
            className="flex shrink-0 items-center gap-2 font-semibold"
            aria-label="Pump Party, home"
          >
            <img src="/favicon.svg" alt="" className="size-7" />
            <span className="hidden sm:inline">Pump Party</span>
          </Link>
          <Pages className="ml-4 hidden h-full gap-1 md:flex" />
          <div className="ml-auto flex items-center gap-2 sm:gap-3">
            <ConnectionState />
            <Feed />
            <SessionMenu />
          </div>
        </div>
        <ConnectionNotice />
        <MarginCall />
      </header>
      <main
        id="main"
        tabIndex={-1}
        className="outline-none! mx-auto min-h-[80dvh] max-w-[1400px] px-3 pb-10 sm:px-6"
      >
        <Outlet />
      </main>
      <Footer />
      <Pages className="fixed inset-x-0 bottom-0 z-30 flex h-13 border-t border-line bg-bg md:hidden" />
      <Announcer />
      <Dialogs />
      <Shortcuts />
      <LiveSources />
    </>
  )
}

function Pages({ className }: { className: string }) {
  return (
    <nav aria-label="Pages" className={className}>
      {PAGES.map(([to, label]) => (
        <Link
          key={to}
          to={to}
          className="flex h-full flex-auto items-center md:flex-1 justify-center border-b-2 border-transparent px-1 text-sm text-muted hover:text-text md:px-3 md:text-base"
          activeProps={{ className: 'border-b-accent! text-text!', 'aria-current': 'page' }}
        >
          {label}
        </Link>
      ))}
    </nav>
  )
}

const DIALOGS: [DialogName, string][] = [
  ['markets', 'Search markets'],
  ['help', 'Keyboard'],
]

/** What the keyboard reaches by a letter, for everybody else. */
function Footer() {
  const look = 'link text-sm text-muted hover:text-text'
  return (
    <footer className="mx-auto flex max-w-[1400px] gap-5 px-3 pb-20 sm:px-6 md:pb-6">
      <Link to="/settings" className={look}>
        Settings
      </Link>
      {DIALOGS.map(([dialog, label]) => (
        <button key={dialog} type="button" className={look} onClick={() => openDialog(dialog)}>
          {label}
        </button>
      ))}
    </footer>
  )
}

/** Speaks to screen readers, politely. */
function Announcer() {
  const text = useAnnouncement((one) => one.text)
  return (
    <div aria-live="polite" aria-atomic="true" className="sr-only" data-testid="announcer">
      {text}
    </div>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { configQuery, useMe } from '@/api/queries'
import { formatWire } from '@/lib/format'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Panel } from '@/ui/Panel'
import { LatestDecisions } from './LatestDecisions'
import { MarketBoard } from './MarketBoard'
import { TopFive } from './TopFive'

/** What this is, what it looks like right now, and how to start. */
export function HomePage() {
  return (
    <>
      <div className="grid grid-cols-1 gap-x-12 gap-y-8 py-8 lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)] lg:py-12">
        <Pitch />
        <MarketBoard />
      </div>
      <div className="grid grid-cols-1 gap-x-12 gap-y-8 lg:grid-cols-[minmax(0,5fr)_minmax(0,6fr)]">
        <TopFive />
        <LatestDecisions />
      </div>
      <HowToStart />
      <Promises />
    </>
  )
}

function Pitch() {
  const me = useMe()
  const config = useQuery(configQuery)
  const balance = config.data ? formatWire(config.data.start_balance, 0) : undefined
  return (
    <div className="max-w-xl">
      <h1 className="text-2xl font-semibold text-balance">
        Trade real prices with virtual money, and check every fill.
      </h1>
      <p className="mt-3 text-lg text-muted">
        A paper exchange that is harder than live and never easier: spread, impact and fees on every order, no
        fill on a stale price, and the evidence kept beside it.
      </p>
      <div className="mt-6 flex flex-wrap items-center gap-3">
        <WaysOn />
      </div>
      {balance && me.data === null && (
        <p className="mt-3 text-sm text-muted">
          {balance} virtual USD to start with. Signing proves identity; it moves no funds.
        </p>
      )}
    </div>
  )
}

/** In, for a visitor; on, for who is signed in or could not be asked. */
function WaysOn() {
  const me = useMe()
  if (me.isPending) return <span className="h-11 w-44 bg-raised" />
  const look = 'flex h-11 items-center px-2 text-muted underline hover:text-text'
  return me.data === null ? (
    <>
      <Button look="accent" size="large" onClick={() => openDialog('sign_in')}>
        Sign in with a wallet
      </Button>
      <Link to="/trade" className={look}>
        Look around first
      </Link>
    </>
  ) : (
    <>
      <Link
        to="/trade"
        className="flex h-11 items-center border border-accent bg-accent px-5 text-lg font-medium text-on-accent hover:opacity-90"
      >
        Go to trading
      </Link>
      <Link to="/portfolio" className={look}>
        See your portfolio
      </Link>
    </>
  )
}

const STEPS = [
  ['Sign in', 'With any Solana or EVM wallet: one signature, no transaction, no e-mail.'],
  ['Open a practice account', 'One click, no deposit. Start over whenever you like; the history stays.'],
  ['Buy or sell', 'See spread, impact and fee before you send, then the actual fill beside the estimate.'],
  ['Build a clone', 'Draw a strategy, play it over recorded prices, and let it trade by itself.'],
]

function HowToStart() {
  return (
    <Panel title="How to start" className="mt-10">
      <ol className="grid gap-x-12 sm:grid-cols-2 lg:grid-cols-4">
        {STEPS.map(([title, text], at) => (
          <li key={title} className="flex gap-4 py-3">
            <span className="figure text-accent">{at + 1}</span>
            <div>
              <p className="font-medium">{title}</p>
              <p className="mt-1 text-sm text-muted">{text}</p>
            </div>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

const PROMISES: [string, ReactNode][] = [
  [
    'Evidence on every fill',
    'Source, publish time, age, confidence and the hash of the very tick it was filled on.',
  ],
  [
    'Books that close',
    'Double entry, append only. Equity = start + realised + unrealised + funding − fees, with the residual shown.',
  ],
  ['No fill beats a wrong fill', 'A missing, stale or doubtful price refuses the order and says which.'],
  [
    'The feed is named',
    'Live, replayed or synthetic: the label and the age of the price never leave the screen.',
  ],
]

function Promises() {
  return (
    <Panel title="What you can hold us to" className="mt-10">
      <dl className="grid gap-x-12 sm:grid-cols-2 lg:grid-cols-4">
        {PROMISES.map(([title, text]) => (
          <div key={title} className="py-3">
            <dt className="font-medium">{title}</dt>
            <dd className="mt-1 text-sm text-muted">{text}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

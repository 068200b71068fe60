import { Link } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { useAccount } from '@/api/queries'
import type { Account } from '@/api/types'
import { announce } from '@/live/announce'
import { useMarks } from '@/live/prices'
import { callsOf } from './nearLiquidation'

/** Says on every page that a position is about to be liquidated, with what is left. */
export function MarginCall() {
  const { account } = useAccount()
  return account && account.perps.length > 0 ? <Calls account={account} /> : null
}

function Calls({ account }: { account: Account }) {
  const before = useRef<ReadonlySet<string>>(new Set())
  const calls = callsOf(account.perps, useMarks(), before.current)
  useEffect(() => {
    const called = calls.find((one) => !before.current.has(one.market))
    before.current = new Set(calls.map((one) => one.market))
    if (called) announce(called.title)
  })
  return calls.map(({ market, title, text }) => (
    <div key={market} data-testid="margin-call" data-market={market} className="hatched border-t border-warn">
      <p className="mx-auto max-w-[1400px] px-3 py-1.5 text-sm sm:px-6">
        <span className="font-semibold text-warn">{title}</span> {text}{' '}
        <Link to="/trade" search={{ market }} className="link text-accent">
          Go to {market}
        </Link>
      </p>
    </div>
  ))
}

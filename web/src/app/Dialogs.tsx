import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import { marketsQuery } from '@/api/queries'
import type { Market } from '@/api/types'
import { SignInDialog } from '@/features/auth/SignInDialog'
import { formatPrice, marketName } from '@/lib/format'
import { useTicks } from '@/live/prices'
import { Dialog } from '@/ui/Dialog'
import { closeDialog, useDialogs } from '@/ui/dialogs'
import { HELP } from './keys'

/** The dialog that is open, whoever asked for it. */
export function Dialogs() {
  const open = useDialogs((one) => one.open)
  switch (open) {
    case 'sign_in':
      return <SignInDialog key="sign_in" purpose="sign_in" />
    case 'link_wallet':
      return <SignInDialog key="link" purpose="link" />
    case 'markets':
      return <MarketSearch />
    case 'help':
      return <Help />
    case null:
      return null
  }
}

function Help() {
  return (
    <Dialog
      open
      onClose={closeDialog}
      title="Keyboard"
      description="Shortcuts work everywhere except while typing."
    >
      <dl>
        {HELP.map(([keys, meaning]) => (
          <div key={keys} className="flex h-8 items-center justify-between border-b border-line">
            <dt>{meaning}</dt>
            <dd className="figure text-sm text-accent">{keys}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

function MarketSearch() {
  const markets = useQuery(marketsQuery)
  const ticks = useTicks()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const found = matches(markets.data ?? [], text)
  const open = (market: Market | undefined) => {
    if (!market) return
    closeDialog()
    void navigate({ to: '/trade', search: { market: market.market } })
  }
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter') open(found[at])
    else if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1))
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0))
    else return
    event.preventDefault()
  }
  return (
    <Dialog open onClose={closeDialog} title="Markets">
      <input
        role="combobox"
        data-first-focus
        aria-label="Search markets"
        aria-expanded="true"
        aria-controls="market-results"
        aria-activedescendant={found[at] ? `market-${found[at].market}` : undefined}
        data-testid="market-search"
        className="mb-2 h-10 w-full border border-input bg-bg px-3"
        placeholder="SOL, BTC, ETH…"
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(0)
        }}
        onKeyDown={onKey}
      />
      <div id="market-results" role="listbox" aria-label="Markets">
        {found.map((market, row) => (
          <button
            key={market.market}
            id={`market-${market.market}`}
            type="button"
            role="option"
            aria-selected={row === at}
            tabIndex={-1}
            onClick={() => open(market)}
            className={`flex h-10 w-full items-center justify-between border-b border-line px-2 ${row === at ? 'bg-raised' : ''}`}
          >
            <span className="font-medium">{marketName(market)}</span>
            <span className="figure">
              {formatPrice(ticks.get(market.market)?.price, market.price_decimals)}
            </span>
          </button>
        ))}
        {found.length === 0 && <p className="py-3 text-muted">No market matches.</p>}
      </div>
    </Dialog>
  )
}

function matches(markets: readonly Market[], text: string): Market[] {
  const wanted = text.trim().toUpperCase().replace('/', '-')
  return markets.filter((one) => one.market.includes(wanted))
}

import type { Account, Market } from '@/api/types'
import { formatUsd, formatWire } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { Segmented } from '@/ui/Segmented'
import { type, useTicket } from './store'
import { SHARES, shareOf, type Unit } from './ticket'

const AMOUNT_LENGTH_MAX = 32

/** How much, in USD or in the asset, typed or as a share of what there is. */
export function AmountField({ account, market }: { account: Account; market: Market }) {
  const { typed } = useTicket()
  const held = account.positions.find((one) => one.market === market.market)?.quantity ?? '0'
  const available =
    typed.side === 'buy'
      ? `${formatUsd(parseMicros(account.cash))} USD`
      : `${formatWire(held, 0)} ${market.base}`
  return (
    <div>
      <div className="mb-1 flex items-baseline justify-between text-sm">
        <label htmlFor="amount" className="text-muted">
          Amount
        </label>
        <span className="text-muted">
          Available <span className="figure text-text">{available}</span>
        </span>
      </div>
      <div className="flex h-11 border border-input focus-within:border-accent">
        <input
          id="amount"
          data-testid="amount-input"
          className="figure w-0 flex-1 bg-transparent px-3 text-lg outline-none placeholder:text-input"
          inputMode="decimal"
          autoComplete="off"
          placeholder="0.00"
          maxLength={AMOUNT_LENGTH_MAX}
          value={typed.amount}
          onChange={(event) => type({ amount: event.target.value })}
        />
        <Segmented<Unit>
          label="Amount unit"
          testId="amount-unit"
          className="border-0 border-l border-l-line"
          value={typed.unit}
          onChange={(unit) => type({ unit, amount: '' })}
          options={[
            { value: 'quote', label: 'USD', testId: 'amount-unit-quote', className: 'h-full!' },
            { value: 'base', label: market.base, testId: 'amount-unit-base', className: 'h-full!' },
          ]}
        />
      </div>
      <div className="mt-2 grid grid-cols-4 border border-line">
        {SHARES.map((percent) => (
          <button
            key={percent}
            type="button"
            data-testid={`share-${percent}`}
            className="figure h-7 border-l border-line text-xs text-muted first:border-l-0 hover:bg-raised hover:text-text"
            onClick={() => type(shareOf(percent, typed.side, account, market))}
          >
            {percent === 100 ? 'Max' : `${percent}%`}
          </button>
        ))}
      </div>
    </div>
  )
}

const LIMITS = [null, 5, 10, 25, 50] as const

/** An optional limit on how far from the mid a fill may be. */
export function SlippageField() {
  const slippageBps = useTicket((one) => one.typed.slippageBps)
  return (
    <label className="flex items-center justify-between gap-4 text-sm text-muted">
      Slippage limit
      <select
        data-testid="slippage"
        className="figure h-7 border border-line bg-bg px-1 text-xs text-text"
        value={slippageBps ?? ''}
        onChange={(event) => type({ slippageBps: event.target.value ? Number(event.target.value) : null })}
      >
        {LIMITS.map((bps) => (
          <option key={bps} value={bps ?? ''}>
            {bps === null ? 'default (1%)' : `${bps / 100}%`}
          </option>
        ))}
      </select>
    </label>
  )
}

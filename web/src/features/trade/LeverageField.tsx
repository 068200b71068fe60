import { type, useTicket } from './store'

/** How many times the margin the position is worth, up to what the market allows: by slider or as a number. */
export function LeverageField({ max }: { max: number }) {
  const leverage = useTicket((one) => one.typed.leverage)
  const at = /^\d{1,3}$/.test(leverage) ? Math.min(Math.max(Number(leverage), 1), max) : 1
  return (
    <div className="text-sm text-muted">
      <div className="flex items-center justify-between gap-3">
        <label htmlFor="leverage">Leverage</label>
        <span className="flex items-center gap-1">
          <input
            id="leverage"
            data-testid="leverage-input"
            className="figure h-7 w-12 border border-input bg-transparent px-2 text-right text-text"
            inputMode="numeric"
            autoComplete="off"
            maxLength={3}
            value={leverage}
            onChange={(event) => type({ leverage: event.target.value })}
          />
          <span className="figure">× of {max}</span>
        </span>
      </div>
      <input
        type="range"
        aria-label="Leverage"
        data-testid="leverage-slider"
        className="mt-1 h-7 w-full accent-(--accent)"
        min={1}
        max={max}
        step={1}
        value={at}
        onChange={(event) => type({ leverage: event.target.value })}
      />
    </div>
  )
}

import { PriceField } from './PriceField'
import { type } from './store'
import type { Typed } from './ticket'

/** A stop and a target for the position the order opens: the one that fires cancels the other. */
export function ExitFields({ typed }: { typed: Typed }) {
  const buy = typed.side === 'buy'
  return (
    <details className="group text-sm" open={typed.stop !== '' || typed.target !== '' || undefined}>
      <summary className="flex min-h-7 items-center text-muted hover:text-text" data-testid="exits">
        <span aria-hidden="true" className="mr-2 group-open:rotate-90">
          ▸
        </span>
        Stop and target
      </summary>
      <div className="mt-2 flex gap-2">
        <PriceField
          label={`Stop, ${buy ? 'below' : 'above'}`}
          testId="stop-price"
          value={typed.stop}
          onChange={(stop) => type({ stop })}
          placeholder="none"
        />
        <PriceField
          label={`Target, ${buy ? 'above' : 'below'}`}
          testId="target-price"
          value={typed.target}
          onChange={(target) => type({ target })}
          placeholder="none"
        />
      </div>
      <p className="mt-1 text-xs text-muted">One cancels the other. Both end with the position.</p>
    </details>
  )
}

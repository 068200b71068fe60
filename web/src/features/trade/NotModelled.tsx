const LIMITS = [
  'Partial fills and your place in a queue: an order fills whole or not at all.',
  'Other people: their orders do not move your price.',
  'Depth and how fast it recovers, where no order book is recorded: they are assumed.',
  'Network jitter: the delay of an order is the same for everybody.',
  'MEV: nobody reorders transactions around yours.',
  'Being able to trade at an oracle price: it is an average of venues, not a quote of one.',
]

/** What a fill here does not promise about a live market. */
export function NotModelled() {
  return (
    <details className="group text-xs text-muted" data-testid="not-modelled">
      <summary className="flex min-h-7 items-center hover:text-text">
        <span aria-hidden="true" className="mr-2 group-open:rotate-90">
          ▸
        </span>
        What these fills do not model
      </summary>
      <ul className="mt-1 list-disc space-y-1 pl-4">
        {LIMITS.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
    </details>
  )
}

import { formatWire, grouped } from '@/lib/format'

interface Props {
  usage: { model: string; tokens_in: number; tokens_out: number; cost: string | null; latency_ms: number }
}

/** What asking a model took. A cost that is not known is never shown as zero. */
export function UsageLine({ usage }: Props) {
  return (
    <p className="text-xs text-muted" data-testid="run-usage">
      {usage.model} · {grouped(usage.tokens_in)} tokens in, {grouped(usage.tokens_out)} out ·{' '}
      {usage.cost === null ? 'cost unknown' : `${formatWire(usage.cost, 4)} USD`} ·{' '}
      {(usage.latency_ms / 1_000).toFixed(1)} s
    </p>
  )
}

import { useQuery } from '@tanstack/react-query'
import { type CloneFill, fillsQuery } from '@/api/clones'
import { briefPrice, formatPrice, formatWire } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { formatDateTime } from '@/lib/time'
import { Pnl } from '@/ui/Figure'
import { Panel } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'

const POLL_MS = 15_000
const SHOWN_MAX = 30

/** What was traded: the newest fills, and what happens from now on. */
export function Fills({ cloneId, isLive }: { cloneId: string; isLive: boolean }) {
  const fills = useQuery({ ...fillsQuery(cloneId), refetchInterval: isLive ? false : POLL_MS })
  const shown = (fills.data ?? []).slice(0, SHOWN_MAX)
  return (
    <Panel title="Fills">
      {fills.isPending && <Loading rows={3} label="Loading fills" />}
      {fills.error && <Failure what="fills" error={fills.error} onRetry={() => void fills.refetch()} />}
      {fills.data && shown.length === 0 && <Empty title="Nothing was traded yet." />}
      <ul data-testid="clone-fills">
        {shown.map((fill) => (
          <Row key={`${fill.at_ms} ${fill.market} ${fill.side} ${fill.quantity}`} fill={fill} />
        ))}
      </ul>
    </Panel>
  )
}

function Row({ fill }: { fill: CloneFill }) {
  const zone = useZone()
  const realised = parseMicros(fill.realised)
  const [base = '', quote = ''] = fill.market.split('-')
  return (
    <li
      data-testid="clone-fill"
      className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 border-b border-line py-2 text-sm"
    >
      <span className="font-medium">
        {fill.side === 'buy' ? 'Bought' : 'Sold'}{' '}
        <span className="figure">{formatWire(fill.quantity, 0)}</span> {base}
        <span className="font-normal text-muted">/{quote}</span>
      </span>
      <span className="figure text-right">{briefPrice(fill.price)}</span>
      <span className="figure text-xs text-muted">{formatDateTime(fill.at_ms, zone)}</span>
      <span className="text-right text-xs text-muted">
        {realised === 0n ? `fee ${formatPrice(fill.fee, 2)}` : <Pnl micros={realised} />}
      </span>
    </li>
  )
}

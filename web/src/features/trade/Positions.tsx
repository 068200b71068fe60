import { useNavigate } from '@tanstack/react-router'
import type { Account, Market, Position } from '@/api/types'
import { valueHolding } from '@/lib/equity'
import { formatPrice, formatUsd, formatWire, sharePpm } from '@/lib/format'
import { E8_DECIMALS, NOTIONAL_DIVISOR, toWire } from '@/lib/money'
import { useMarks } from '@/live/prices'
import { Button } from '@/ui/Button'
import { Change, Pnl } from '@/ui/Figure'
import { TableScroll } from '@/ui/Panel'
import { Empty } from '@/ui/States'
import { type } from './store'
import { shareOf } from './ticket'

/** What is held now, at the newest marks. */
export function Positions({ account, markets }: { account: Account; markets: readonly Market[] }) {
  if (account.positions.length === 0) {
    return (
      <Empty title="No position yet.">
        <p>Choose a side and an amount in the ticket. What you buy appears here and moves with the price.</p>
      </Empty>
    )
  }
  return (
    <TableScroll label="Positions">
      <table className="ruled">
        <thead>
          <tr>
            <th scope="col">Market</th>
            {['Quantity', 'Average price', 'Mark', 'Value', 'Unrealised', ''].map((name) => (
              <th key={name} scope="col" data-figure>
                {name || <span className="sr-only">Action</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {account.positions.map((position) => {
            const market = markets.find((one) => one.market === position.market)
            return (
              market && (
                <PositionRow key={position.market} account={account} position={position} market={market} />
              )
            )
          })}
        </tbody>
      </table>
    </TableScroll>
  )
}

function PositionRow({
  account,
  position,
  market,
}: {
  account: Account
  position: Position
  market: Market
}) {
  const navigate = useNavigate()
  const mark = useMarks().get(position.market)
  const { quantityNanos, costMicros, valueMicros, unrealisedMicros } = valueHolding(position, mark)
  const averageE8 = quantityNanos === 0n ? 0n : (costMicros * NOTIONAL_DIVISOR) / quantityNanos
  const places = Math.min(market.price_decimals, 4)
  const prepareSale = () => {
    type({ side: 'sell', ...shareOf(100, 'sell', account, market) })
    void navigate({ to: '/trade', search: (before) => ({ ...before, market: market.market }) })
  }
  return (
    <tr data-testid="position-row" data-market={position.market}>
      <td className="font-medium">{market.base}</td>
      <td data-figure>{formatWire(position.quantity, 0)}</td>
      <td data-figure>{formatPrice(position.average_price ?? toWire(averageE8, E8_DECIMALS), places)}</td>
      <td data-figure>{formatPrice(mark, places)}</td>
      <td data-figure>{formatUsd(valueMicros)}</td>
      <td data-figure>
        <Pnl micros={unrealisedMicros} />{' '}
        <Change
          className="text-xs"
          ppm={unrealisedMicros === undefined ? undefined : sharePpm(unrealisedMicros, costMicros)}
        />
      </td>
      <td data-figure>
        <Button size="small" onClick={prepareSale} title="Fills the ticket; nothing is sent yet">
          Sell all…
        </Button>
      </td>
    </tr>
  )
}

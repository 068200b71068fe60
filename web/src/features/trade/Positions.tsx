import type { ReactNode } from 'react'
import type { Account, Market, Order, PerpPosition, Position } from '@/api/types'
import { valueHolding, valuePerp } from '@/lib/equity'
import { formatPrice, formatUsd, formatWire, sharePpm } from '@/lib/format'
import { E8_DECIMALS, NOTIONAL_DIVISOR, parseMicros, toWire } from '@/lib/money'
import { useMarks } from '@/live/prices'
import { Change, Pnl } from '@/ui/Figure'
import { TableScroll } from '@/ui/Panel'
import { Empty } from '@/ui/States'
import { isNear, leftToLose } from './nearLiquidation'
import { useOpenOrders } from './OpenOrders'
import { PositionActions } from './PositionActions'

/** What is held now, at the newest marks: spot holdings, then perpetual positions. */
export function Positions({ account, markets }: { account: Account; markets: readonly Market[] }) {
  const { orders } = useOpenOrders(account)
  if (account.positions.length === 0 && account.perps.length === 0) {
    return (
      <Empty title="No position yet.">
        <p>Choose a side and an amount in the ticket. What you buy appears here and moves with the price.</p>
      </Empty>
    )
  }
  const marketOf = (name: string) => markets.find((one) => one.market === name)
  return (
    <>
      {account.positions.length > 0 && (
        <Table
          label="Positions"
          names={['Market', 'Quantity', 'Average price', 'Mark', 'Value', 'Unrealised']}
        >
          {account.positions.map((position) => {
            const market = marketOf(position.market)
            const props = { account, position, market: market as Market, orders }
            return market && <SpotRow key={position.market} {...props} />
          })}
        </Table>
      )}
      {account.perps.length > 0 && (
        <Table
          label="Perpetual positions"
          names={[
            'Market',
            'Side',
            'Quantity',
            'Entry',
            'Mark',
            'Liquidation',
            'Unrealised',
            'Margin',
            'Funding',
          ]}
        >
          {account.perps.map((position) => {
            const market = marketOf(position.market)
            const props = { account, position, market: market as Market, orders }
            return market && <PerpRow key={position.market} {...props} />
          })}
        </Table>
      )}
    </>
  )
}

function Table({ label, names, children }: { label: string; names: readonly string[]; children: ReactNode }) {
  return (
    <TableScroll label={label}>
      <table className="ruled">
        <thead>
          <tr>
            {names.map((name) => (
              <th
                key={name}
                scope="col"
                {...(name === 'Market' || name === 'Side' ? {} : { 'data-figure': true })}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </TableScroll>
  )
}

interface RowProps<P> {
  account: Account
  position: P
  market: Market
  orders: readonly Order[]
}

function SpotRow({ account, position, market, orders }: RowProps<Position>) {
  const mark = useMarks().get(position.market)
  const { quantityNanos, costMicros, valueMicros, unrealisedMicros } = valueHolding(position, mark)
  const averageE8 = quantityNanos === 0n ? 0n : (costMicros * NOTIONAL_DIVISOR) / quantityNanos
  const places = market.price_decimals
  return (
    <>
      <tr data-testid="position-row" data-market={position.market} className="*:border-b-0!">
        <td className="font-medium">{market.base}</td>
        <td data-figure>{formatWire(position.quantity, 0)}</td>
        <td data-figure>{formatPrice(position.average_price ?? toWire(averageE8, E8_DECIMALS), places)}</td>
        <td data-figure>{formatPrice(mark, places)}</td>
        <td data-figure>{formatUsd(valueMicros)}</td>
        <Unrealised micros={unrealisedMicros} baseMicros={costMicros} />
      </tr>
      <ActionsRow columns={6}>
        <PositionActions
          account={account}
          position={{ market: position.market, side: 'long' }}
          quantity={position.quantity}
          market={market}
          orders={orders}
        />
      </ActionsRow>
    </>
  )
}

function PerpRow({ account, position, market, orders }: RowProps<PerpPosition>) {
  const mark = useMarks().get(position.market)
  const { unrealisedMicros } = valuePerp(position, mark)
  const places = market.price_decimals
  const marginMicros = parseMicros(position.margin)
  const side = position.side ?? 'long'
  const near = isNear(leftToLose(position, mark))
  return (
    <>
      <tr data-testid="perp-row" data-market={position.market} data-side={side} className="*:border-b-0!">
        <td className="font-medium">{market.market}</td>
        <td className={side === 'long' ? 'text-gain' : 'text-loss'}>
          {side === 'long' ? 'Long' : 'Short'} <span className="figure text-sm">{position.leverage}×</span>
        </td>
        <td data-figure>{formatWire(position.quantity, 0)}</td>
        <td data-figure>{formatPrice(position.entry_price, places)}</td>
        <td data-figure>{formatPrice(mark, places)}</td>
        <td
          data-figure
          data-testid="perp-liquidation"
          data-near={near}
          className={near ? 'hatched font-medium text-warn' : ''}
        >
          {position.liquidation_price
            ? formatPrice(position.liquidation_price, market.price_decimals)
            : 'none'}
        </td>
        <Unrealised micros={unrealisedMicros} baseMicros={marginMicros} />
        <td data-figure data-testid="perp-margin">
          {formatUsd(marginMicros)}
        </td>
        <td data-figure data-testid="perp-funding">
          <Pnl micros={parseMicros(position.funding)} />
        </td>
      </tr>
      <ActionsRow columns={9}>
        <PositionActions
          account={account}
          position={{ market: position.market, side }}
          quantity={position.quantity}
          market={market}
          orders={orders}
        />
      </ActionsRow>
    </>
  )
}

/** What can be done with a position, below it: in reach without scrolling on a narrow screen. */
function ActionsRow({ columns, children }: { columns: number; children: ReactNode }) {
  return (
    <tr>
      <td colSpan={columns} className="h-10!">
        <span className="sticky left-0">{children}</span>
      </td>
    </tr>
  )
}

/** The gain that is not realised, and what share it is of what was put in. */
function Unrealised({ micros, baseMicros }: { micros: bigint | undefined; baseMicros: bigint }) {
  return (
    <td data-figure>
      <Pnl micros={micros} />{' '}
      <Change className="text-xs" ppm={micros === undefined ? undefined : sharePpm(micros, baseMicros)} />
    </td>
  )
}

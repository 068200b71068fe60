import type { ReactNode } from 'react'
import type { Account } from '@/api/types'
import { valueHolding, valuePerp } from '@/lib/equity'
import { briefPrice, formatUsd, formatWire } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { useMarks } from '@/live/prices'
import { Pnl } from '@/ui/Figure'
import { Panel, TableScroll } from '@/ui/Panel'
import { Empty } from '@/ui/States'

/** Everything that is held, with what it has earned and cost since the cycle began. */
export function Holdings({ account }: { account: Account }) {
  if (account.positions.length === 0 && account.perps.length === 0) {
    return (
      <Panel title="Positions">
        <Empty title="Everything is in cash." />
      </Panel>
    )
  }
  return (
    <Panel title="Positions">
      <div className="space-y-4">
        {account.positions.length > 0 && <SpotHoldings account={account} />}
        {account.perps.length > 0 && <PerpHoldings account={account} />}
      </div>
    </Panel>
  )
}

function SpotHoldings({ account }: { account: Account }) {
  const marks = useMarks()
  return (
    <Table
      label="Positions"
      figures={['Quantity', 'Cost', 'Mark', 'Value', 'Unrealised', 'Realised', 'Fees']}
    >
      {account.positions.map((position) => {
        const mark = marks.get(position.market)
        const valued = valueHolding(position, mark)
        return (
          <tr key={position.market} data-testid="position-row" data-market={position.market}>
            <td className="font-medium">{position.market}</td>
            <td data-figure>{formatWire(position.quantity, 0)}</td>
            <td data-figure>{formatUsd(valued.costMicros)}</td>
            <td data-figure>{briefPrice(mark)}</td>
            <td data-figure>{formatUsd(valued.valueMicros)}</td>
            <Earned unrealised={valued.unrealisedMicros} realised={position.realised_pnl} />
            <td data-figure>{formatUsd(parseMicros(position.fees))}</td>
          </tr>
        )
      })}
    </Table>
  )
}

function PerpHoldings({ account }: { account: Account }) {
  const marks = useMarks()
  return (
    <Table
      label="Perpetual positions"
      figures={[
        'Quantity',
        'Entry',
        'Mark',
        'Liquidation',
        'Margin',
        'Unrealised',
        'Realised',
        'Funding',
        'Fees',
      ]}
    >
      {account.perps.map((position) => {
        const mark = marks.get(position.market)
        return (
          <tr key={position.market} data-testid="perp-row" data-market={position.market}>
            <td className="font-medium">
              {position.market} {position.side} <span className="figure text-sm">{position.leverage}×</span>
            </td>
            <td data-figure>{formatWire(position.quantity, 0)}</td>
            <td data-figure>{briefPrice(position.entry_price)}</td>
            <td data-figure>{briefPrice(mark)}</td>
            <td data-figure>
              {position.liquidation_price ? briefPrice(position.liquidation_price) : 'none'}
            </td>
            <td data-figure>{formatUsd(parseMicros(position.margin))}</td>
            <Earned
              unrealised={valuePerp(position, mark).unrealisedMicros}
              realised={position.realised_pnl}
            />
            <td data-figure>
              <Pnl micros={parseMicros(position.funding)} />
            </td>
            <td data-figure>{formatUsd(parseMicros(position.fees))}</td>
          </tr>
        )
      })}
    </Table>
  )
}

function Earned({ unrealised, realised }: { unrealised: bigint | undefined; realised: string }) {
  return (
    <>
      <td data-figure>
        <Pnl micros={unrealised} />
      </td>
      <td data-figure>
        <Pnl micros={parseMicros(realised)} />
      </td>
    </>
  )
}

interface TableProps {
  label: string
  figures: readonly string[]
  children: ReactNode
}

function Table({ label, figures, children }: TableProps) {
  return (
    <TableScroll label={label}>
      <table className="ruled">
        <thead>
          <tr>
            <th scope="col">Market</th>
            {figures.map((name) => (
              <th key={name} scope="col" data-figure>
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

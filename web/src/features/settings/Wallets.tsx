import type { Wallet } from '@/api/types'
import { chainName } from '@/lib/format'
import { formatDate } from '@/lib/time'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Panel, TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'

/** The wallets that prove this identity. They hold nothing here. */
export function Wallets({ wallets, name }: { wallets: readonly Wallet[]; name: string }) {
  const zone = useZone()
  return (
    <Panel
      title="Wallets"
      aside={
        <Button size="small" onClick={() => openDialog('link_wallet')} data-testid="link-wallet">
          Link another wallet
        </Button>
      }
    >
      <p className="mb-2 text-sm text-muted">
        On boards you appear as <span className="font-medium text-text">{name}</span>, never by an address.
        Any linked wallet signs you in.
      </p>
      <TableScroll label="Wallets">
        <table className="ruled">
          <thead>
            <tr>
              <th scope="col">Chain</th>
              <th scope="col">Address</th>
              <th scope="col" data-figure>
                Linked
              </th>
            </tr>
          </thead>
          <tbody>
            {wallets.map((wallet) => (
              <tr key={wallet.wallet_id} data-testid="wallet-linked">
                <td>{chainName(wallet.chain)}</td>
                <td className="figure text-sm">{wallet.address}</td>
                <td data-figure>{formatDate(wallet.linked_at_ms, zone)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
    </Panel>
  )
}

import { chainName } from '@/lib/format'
import { Button } from '@/ui/Button'
import { askAgain, type FoundWallet } from './wallets'

const ROW =
  'flex h-12 w-full items-center gap-3 border-b border-line px-2 text-left hover:bg-raised disabled:opacity-50'

interface ListProps {
  wallets: FoundWallet[]
  disabled: boolean
  onChoose: (wallet: FoundWallet) => void
}

/** One row per wallet the browser offers. */
export function WalletList({ wallets, disabled, onChoose }: ListProps) {
  if (wallets.length === 0) return <NoneFound />
  return (
    <ul className="border-t border-line">
      {wallets.map((wallet) => (
        <li key={wallet.name}>
          <button
            type="button"
            className={ROW}
            disabled={disabled}
            data-testid={`wallet-row-${wallet.name}`}
            onClick={() => onChoose(wallet)}
          >
            <WalletIcon wallet={wallet} />
            <span className="flex-1 truncate font-medium">{wallet.name}</span>
            <span className="text-xs text-muted">
              {[wallet.solana && 'Solana', wallet.evm && 'EVM'].filter(Boolean).join(' · ')}
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function NoneFound() {
  return (
    <div className="space-y-3" data-testid="wallet-none">
      <p className="font-medium">No wallet was found in this browser.</p>
      <p className="text-muted">
        Any Solana wallet (Phantom, Solflare, Backpack and others) or EVM wallet (MetaMask, Rabby, Coinbase
        Wallet and others) works. Install one as a browser extension, then come back. It needs no funds.
      </p>
      <Button onClick={askAgain}>I installed it</Button>
      <p className="text-xs text-muted">
        Still nothing? Reload the page: some wallets only appear on a fresh load.
      </p>
    </div>
  )
}

interface ChainProps {
  wallet: FoundWallet
  chains: string[]
  onBack: () => void
  onChoose: (chain: string) => void
}

/** A wallet with several chains: which address shall prove who this is? */
export function ChainStep({ wallet, chains, onBack, onChoose }: ChainProps) {
  return (
    <div>
      <p className="mb-2 flex items-center gap-3 font-medium">
        <WalletIcon wallet={wallet} /> {wallet.name}: choose a chain
      </p>
      {chains.length === 0 && (
        <p className="py-3 text-muted">This wallet offers no chain that can sign in here.</p>
      )}
      <ul className="border-t border-line">
        {chains.map((chain) => (
          <li key={chain}>
            <button
              type="button"
              className={ROW}
              data-testid={`chain-row-${chain}`}
              onClick={() => onChoose(chain)}
            >
              <span className="flex-1 font-medium">{chainName(chain)}</span>
              <span className="figure text-xs text-muted">{chain}</span>
            </button>
          </li>
        ))}
      </ul>
      <Button look="quiet" size="small" className="mt-3" onClick={onBack}>
        Other wallet
      </Button>
    </div>
  )
}

function WalletIcon({ wallet }: { wallet: FoundWallet }) {
  if (wallet.icon) return <img src={wallet.icon} alt="" className="size-6 shrink-0" />
  return (
    <span aria-hidden="true" className="grid size-6 shrink-0 place-items-center border border-input text-xs">
      {wallet.name.slice(0, 1)}
    </span>
  )
}

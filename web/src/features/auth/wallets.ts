/** Wallets the browser offers, from both standards, as one list: name, icon, and what each can sign for. */
import { getWallets } from '@wallet-standard/app'
import type { Wallet as StandardWallet } from '@wallet-standard/base'

export interface EvmProvider {
  request: (call: { method: string; params?: unknown[] }) => Promise<unknown>
}

interface Announcement {
  info: { uuid: string; name: string; icon: string; rdns: string }
  provider: EvmProvider
}

export interface FoundWallet {
  name: string
  icon: string | undefined
  solana?: StandardWallet
  evm?: EvmProvider
}

const WALLETS_MAX = 50
const SAFE_ICON = /^data:image\/(svg\+xml|webp|png|gif|jpeg)[;,]/

const announced = new Map<string, Announcement>()

/** Listen for wallets until the returned function is called. `onFound` gets the whole list each time. */
export function watchWallets(onFound: (wallets: FoundWallet[]) => void): () => void {
  const standard = getWallets()
  const tell = () => onFound(mergeWallets(standard.get(), [...announced.values()]))
  const onAnnounce = (event: Event) => {
    const announcement = (event as CustomEvent<Announcement>).detail
    if (!announcement?.info?.uuid || announced.size >= WALLETS_MAX) return
    announced.set(announcement.info.uuid, announcement)
    tell()
  }
  window.addEventListener('eip6963:announceProvider', onAnnounce)
  const stops = [standard.on('register', tell), standard.on('unregister', tell)]
  tell()
  askAgain()
  return () => {
    window.removeEventListener('eip6963:announceProvider', onAnnounce)
    for (const stop of stops) stop()
  }
}

/** Ask EVM wallets to announce themselves again: "I installed it". */
export function askAgain() {
  window.dispatchEvent(new Event('eip6963:requestProvider'))
}

/** One row per wallet: the same name on both standards is one wallet that signs for both. */
export function mergeWallets(
  standard: readonly StandardWallet[],
  announcements: readonly Announcement[],
): FoundWallet[] {
  const byName = new Map<string, FoundWallet>()
  const put = (wallet: FoundWallet) => byName.set(wallet.name, { ...byName.get(wallet.name), ...wallet })
  for (const wallet of standard) {
    if (canSignSolana(wallet)) put({ name: wallet.name, icon: safeIcon(wallet.icon), solana: wallet })
  }
  for (const { info, provider } of announcements) {
    put({ name: info.name, icon: safeIcon(info.icon), evm: provider })
  }
  return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name)).slice(0, WALLETS_MAX)
}

function canSignSolana({ chains, features }: StandardWallet): boolean {
  const signs = 'solana:signIn' in features || 'solana:signMessage' in features
  return signs && 'standard:connect' in features && chains.some((chain) => chain.startsWith('solana:'))
}

function safeIcon(icon: string): string | undefined {
  return SAFE_ICON.test(icon) ? icon : undefined
}

/** The chains a wallet can prove an address on, out of those the server accepts. */
export function chainsOf(wallet: FoundWallet, accepted: readonly string[]): string[] {
  return accepted.filter((chain) => (chain === 'solana' ? wallet.solana : wallet.evm) !== undefined)
}

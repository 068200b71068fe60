/** Ask a wallet for an address and for a signature of the server's message. Never opens without a click. */
import type { Wallet as StandardWallet, WalletAccount } from '@wallet-standard/base'
import { parseSignIn, type SignInFields } from './caip122'
import type { EvmProvider, FoundWallet } from './wallets'

export interface Signed {
  signature: string
  /** Base64 of the bytes a `solana:signIn` wallet signed. */
  signed_message?: string
}

/** An address that is ready to sign. `sign` opens the wallet once. */
export interface Signer {
  address: string
  sign: (message: string) => Promise<Signed>
}

/** The wallet answered for another address than the one the message names. */
export class WrongAccount extends Error {
  constructor(readonly other: string) {
    super(`the wallet answered for ${other}`)
    this.name = 'WrongAccount'
  }
}

/** The person said no in the wallet. */
export class Declined extends Error {}

/** Connect the wallet on a chain. Connected is not signed in: the signer must still sign. */
export async function connectWallet(wallet: FoundWallet, chain: string): Promise<Signer> {
  return inWords(async () => {
    if (chain === 'solana' && wallet.solana) return connectSolana(wallet.solana)
    if (wallet.evm) return connectEvm(wallet.evm)
    throw new Error(`${wallet.name} cannot sign on this chain.`)
  })
}

interface ConnectFeature {
  connect: () => Promise<{ accounts: readonly WalletAccount[] }>
}
interface SignInFeature {
  signIn: (
    input: SignInFields,
  ) => Promise<readonly { account: WalletAccount; signedMessage: Uint8Array; signature: Uint8Array }[]>
}
interface SignMessageFeature {
  signMessage: (input: {
    account: WalletAccount
    message: Uint8Array
  }) => Promise<readonly { signedMessage: Uint8Array; signature: Uint8Array }[]>
}

async function connectSolana(wallet: StandardWallet): Promise<Signer> {
  const feature = wallet.features['standard:connect'] as ConnectFeature
  const { accounts } = await feature.connect()
  const account = accounts.find((one) => one.chains.some((chain) => chain.startsWith('solana:')))
  if (!account) throw new Error('The wallet shared no Solana account.')
  return { address: account.address, sign: (message) => inWords(() => signSolana(wallet, account, message)) }
}

async function signSolana(wallet: StandardWallet, account: WalletAccount, message: string): Promise<Signed> {
  const signIn = wallet.features['solana:signIn'] as SignInFeature | undefined
  const fields = signIn && parseSignIn(message)
  if (fields) {
    const [output] = await signIn.signIn(fields)
    if (!output) throw new Error('The wallet returned no signature.')
    if (output.account.address !== account.address) throw new WrongAccount(output.account.address)
    return { signature: base64(output.signature), signed_message: base64(output.signedMessage) }
  }
  const signMessage = wallet.features['solana:signMessage'] as SignMessageFeature | undefined
  if (!signMessage) throw new Error('The wallet cannot sign messages.')
  const [output] = await signMessage.signMessage({ account, message: new TextEncoder().encode(message) })
  if (!output) throw new Error('The wallet returned no signature.')
  return { signature: base64(output.signature) }
}

async function connectEvm(provider: EvmProvider): Promise<Signer> {
  const accounts = await provider.request({ method: 'eth_requestAccounts' })
  const address = Array.isArray(accounts) ? accounts[0] : undefined
  if (typeof address !== 'string') throw new Error('The wallet shared no account.')
  return { address, sign: (message) => inWords(() => signEvm(provider, address, message)) }
}

async function signEvm(provider: EvmProvider, address: string, message: string): Promise<Signed> {
  const now = await provider.request({ method: 'eth_accounts' })
  const selected = Array.isArray(now) ? now[0] : undefined
  if (typeof selected === 'string' && selected.toLowerCase() !== address.toLowerCase()) {
    throw new WrongAccount(selected)
  }
  const signature = await provider.request({ method: 'personal_sign', params: [hexOf(message), address] })
  if (typeof signature !== 'string') throw new Error('The wallet returned no signature.')
  return { signature }
}

/** Wallets say "no" in many ways; the page needs one. */
async function inWords<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof WrongAccount) throw error
    const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
    const text = typeof message === 'string' ? message : 'The wallet failed without a reason.'
    if (code === 4001 || /reject|denied|declin|cancel/i.test(text)) throw new Declined(text)
    throw new Error(text)
  }
}

export function hexOf(text: string): string {
  const bytes = new TextEncoder().encode(text)
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

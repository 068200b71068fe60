import { expect, test } from 'vitest'
import { Problem } from '@/api/client'
import { explain } from './login'
import { base64, connectWallet, Declined, hexOf, WrongAccount } from './sign'
import { chainsOf, type FoundWallet, mergeWallets } from './wallets'

const at = { wallet: { name: 'W', icon: undefined }, chain: 'solana', expected: 'me' }
const evm = (answers: Record<string, unknown>): FoundWallet => ({
  name: 'W',
  icon: undefined,
  evm: {
    request: async ({ method }) => {
      const answer = answers[method]
      if (answer instanceof Error) throw answer
      return answer
    },
  },
})

test('every failure of signing in leads to its own state', () => {
  const problem = (code: string) => new Problem({ code, status: 401, detail: code })
  const steps = [
    new Declined('no'),
    new WrongAccount('other'),
    problem('challenge_expired'),
    problem('challenge_used'),
    problem('bad_signature'),
    problem('rate_limited'),
    new Error('boom'),
  ].map((error) => explain(error, at).step)
  expect(steps).toEqual([
    'rejected',
    'wrong_account',
    'expired',
    'expired',
    'wrong_account',
    'failed',
    'failed',
  ])
})

test('an EVM wallet signs the text as hex with the connected address', async () => {
  const wallet = evm({ eth_requestAccounts: ['0xAb'], eth_accounts: ['0xaB'], personal_sign: '0xsig' })
  const signer = await connectWallet(wallet, 'eip155:1')
  expect(signer.address).toBe('0xAb')
  expect(await signer.sign('hello')).toEqual({ signature: '0xsig' })
  expect(hexOf('hé')).toBe('0x68c3a9')
  expect(base64(new Uint8Array([0, 255, 16]))).toBe('AP8Q')
})

test('an account switched in the wallet between connecting and signing is noticed', async () => {
  const wallet = evm({ eth_requestAccounts: ['0xAb'], eth_accounts: ['0xCd'], personal_sign: '0xsig' })
  const signer = await connectWallet(wallet, 'eip155:1')
  await expect(signer.sign('hello')).rejects.toThrow(WrongAccount)
})

test('saying no in the wallet is a rejection, whichever way the wallet words it', async () => {
  for (const refusal of [
    Object.assign(new Error('x'), { code: 4001 }),
    new Error('User rejected the request'),
  ]) {
    await expect(connectWallet(evm({ eth_requestAccounts: refusal }), 'eip155:1')).rejects.toThrow(Declined)
  }
})

test('a wallet on both standards is one row that offers both kinds of chain', () => {
  const standard = {
    version: '1.0.0' as const,
    name: 'Both',
    icon: 'data:image/svg+xml;base64,AAAA' as const,
    chains: ['solana:mainnet' as const],
    features: { 'standard:connect': {}, 'solana:signMessage': {} },
    accounts: [],
  }
  const announce = (name: string, icon: string) => ({
    info: { uuid: name, name, icon, rdns: name },
    provider: { request: async () => [] },
  })
  const cannotSign = { ...standard, name: 'Viewer', features: { 'standard:connect': {} } }
  const wallets = mergeWallets(
    [standard, cannotSign],
    [announce('Both', 'data:image/png;base64,AA'), announce('Only EVM', 'https://evil.example/x.png')],
  )
  expect(wallets.map((one) => one.name)).toEqual(['Both', 'Only EVM'])
  const accepted = ['solana', 'eip155:1', 'eip155:4326']
  expect(wallets.map((one) => chainsOf(one, accepted))).toEqual([accepted, ['eip155:1', 'eip155:4326']])
  expect(wallets[1]?.icon).toBeUndefined()
})

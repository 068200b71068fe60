/** The states of signing in, and the one path through them. */
import { create } from 'zustand'
import { Problem, request, setCsrfToken } from '@/api/client'
import { meQuery, queryClient } from '@/api/queries'
import type { Challenge, SignedIn } from '@/api/types'
import { connectWallet, Declined, type Signer, WrongAccount } from './sign'
import type { FoundWallet } from './wallets'

export type Purpose = 'sign_in' | 'link'

export type Login =
  | { step: 'choose' }
  | { step: 'chain'; wallet: FoundWallet; chains: string[] }
  | { step: 'connecting'; wallet: FoundWallet; chain: string }
  | { step: 'signing'; wallet: FoundWallet; chain: string; address: string }
  | { step: 'rejected' | 'expired'; wallet: FoundWallet; chain: string }
  | { step: 'wrong_account'; wallet: FoundWallet; chain: string; expected: string; other: string | undefined }
  | { step: 'failed'; wallet: FoundWallet; chain: string; reason: string }
  | { step: 'done' }

export const useLogin = create<{ login: Login }>(() => ({ login: { step: 'choose' } }))

/** Counts attempts: what an abandoned one still answers is not listened to. */
let attempt = 0

export function resetLogin(login: Login = { step: 'choose' }) {
  attempt += 1
  useLogin.setState({ login })
}

/** Connect, ask for a challenge, have it signed, open the session (or link the wallet). */
export async function runLogin(wallet: FoundWallet, chain: string, purpose: Purpose): Promise<void> {
  resetLogin({ step: 'connecting', wallet, chain })
  const mine = attempt
  const show = (login: Login) => {
    if (mine === attempt) useLogin.setState({ login })
  }
  let signer: Signer | undefined
  try {
    signer = await connectWallet(wallet, chain)
    show({ step: 'signing', wallet, chain, address: signer.address })
    const challenge = await request<Challenge>('POST', '/v1/auth/challenges', {
      body: { chain, address: signer.address, purpose },
    })
    const signed = await signer.sign(challenge.message)
    if (mine !== attempt) return
    await finish(purpose, { challenge_id: challenge.challenge_id, ...signed })
    show({ step: 'done' })
  } catch (error) {
    show(explain(error, { wallet, chain, expected: signer?.address ?? '' }))
  }
}

async function finish(purpose: Purpose, body: Record<string, string>) {
  if (purpose === 'link') {
    await request('POST', '/v1/wallets', { body })
  } else {
    const session = await request<SignedIn>('POST', '/v1/auth/sessions', { body })
    setCsrfToken(session.csrf_token)
  }
  await queryClient.fetchQuery({ ...meQuery, staleTime: 0 })
  await queryClient.invalidateQueries({ queryKey: ['leaderboard'] })
}

/** Which state an error leads to. */
export function explain(error: unknown, at: { wallet: FoundWallet; chain: string; expected: string }): Login {
  const { wallet, chain, expected } = at
  if (error instanceof Declined) return { step: 'rejected', wallet, chain }
  if (error instanceof WrongAccount)
    return { step: 'wrong_account', wallet, chain, expected, other: error.other }
  if (error instanceof Problem) {
    if (/^challenge_/.test(error.code)) return { step: 'expired', wallet, chain }
    if (error.code === 'bad_signature')
      return { step: 'wrong_account', wallet, chain, expected, other: undefined }
  }
  return {
    step: 'failed',
    wallet,
    chain,
    reason: error instanceof Error ? error.message : 'Something went wrong.',
  }
}

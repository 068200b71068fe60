/** Whether a clone trades, from what it was told to do and what its account may do. Pure. */
import type { PublicDeployment } from '@/api/clones'

const ACCOUNT = {
  paused: 'account_paused',
  locked: 'account_locked',
  frozen: 'account_frozen',
  completed: 'account_completed',
} as const

export type Trading = PublicDeployment['state'] | (typeof ACCOUNT)[keyof typeof ACCOUNT]

/** A clone that runs trades only while its account is active; one that does not, whatever the account may. */
export function tradingOf({ state, account_status }: PublicDeployment): Trading {
  return state === 'running' && account_status !== 'active' ? ACCOUNT[account_status] : state
}

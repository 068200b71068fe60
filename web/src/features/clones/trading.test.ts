import { expect, test } from 'vitest'
import type { PublicDeployment } from '@/api/clones'
import { tradingOf } from './trading'

const deployment = (
  state: PublicDeployment['state'],
  account_status: PublicDeployment['account_status'],
) => ({
  form: 'public' as const,
  clone_id: 'c',
  state,
  account_status,
  version: 1,
  cadence_s: 60,
  next_slot_ms: null,
  started_ms: 0,
})

test('a clone trades while it runs and its account is active', () => {
  expect(tradingOf(deployment('running', 'active'))).toBe('running')
  expect(tradingOf(deployment('running', 'frozen'))).toBe('account_frozen')
  expect(tradingOf(deployment('running', 'paused'))).toBe('account_paused')
  expect(tradingOf(deployment('paused', 'frozen'))).toBe('paused')
  expect(tradingOf(deployment('stopped', 'active'))).toBe('stopped')
})

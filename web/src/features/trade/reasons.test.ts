import { expect, test } from 'vitest'
import type { Account } from '@/api/types'
import { cancelText, reasonText, rejectionText, stageText, statusWords, typeText } from './reasons'

test('every rejection has words, and an unknown one shows its code', () => {
  expect(rejectionText('PRICE_STALE')).toBe('The price was too old to fill on.')
  expect(rejectionText('NEW_CODE')).toBe('NEW_CODE')
  expect(rejectionText(null)).toBe('The order was rejected.')
})

test('what an order waits for and why it was cancelled are told in words', () => {
  expect(stageText({ stage: 'resting' })).toBe('Rests at its limit')
  expect(stageText({ stage: 'cancelling' })).toContain('Being cancelled')
  expect(cancelText('CANCELLED_OTHER_FILLED')).toBe('Cancelled: the other exit was filled.')
  expect(cancelText('NEW_REASON')).toBe('NEW_REASON')
})

test('the type of an order says what limits it', () => {
  expect(typeText({ type: 'limit', reduce_only: false, time_in_force: 'ioc' })).toBe('Limit, IOC')
  expect(typeText({ type: 'stop', reduce_only: true, time_in_force: 'gtc' })).toBe('Stop, reduce only')
})

test('an account that takes no orders says so and what follows; an active one says nothing', () => {
  expect(statusWords('active')).toBeUndefined()
  expect(statusWords('frozen')?.title).toBe('Account frozen.')
  expect(statusWords('paused')?.text).toContain('resumed')
})

test('what made an account inactive is told with its figures, or with who did it and why', () => {
  const why = (status_reason: Account['status_reason'], status_detail: string | null) =>
    reasonText({ status_reason, status_detail })
  expect(why('DAILY_LOSS', 'Equity was 9500 USDC.')).toBe('Equity was 9500 USDC.')
  expect(why('BY_OWNER', null)).toBe('You did this.')
  expect(why('BY_SYSTEM', 'The race is over.')).toBe('A contest or an operator did this: The race is over.')
  expect(why(null, null)).toBe('')
})

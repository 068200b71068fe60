import { expect, test } from 'vitest'
import type { Backtest } from '@/api/backtests'
import { chosenOf, whyNot } from './compare'

const backtest = (backtest_id: string, more: Partial<Backtest> = {}) =>
  ({ backtest_id, state: 'done', tape: 't', from_ms: 0, to_ms: 9, ...more }) as Backtest

test('only finished backtests of the same minutes stand side by side, and not too many', () => {
  const a = backtest('a')
  expect(whyNot(backtest('b'), [a], 2)).toBeUndefined()
  expect(whyNot(backtest('b', { to_ms: 8 }), [a], 2)).toBe('It played other minutes')
  expect(whyNot(backtest('b', { state: 'running' }), [], 2)).toContain('finished')
  expect(whyNot(backtest('c'), [a, backtest('b')], 2)).toBe('At most 2 are compared')
  expect(whyNot(a, [a, backtest('b')], 2)).toBeUndefined()
})

test('what is chosen and gone is left out', () => {
  expect(chosenOf([backtest('a'), backtest('b')], ['b', 'x', 'a']).map((one) => one.backtest_id)).toEqual([
    'b',
    'a',
  ])
})

import { expect, test } from 'vitest'
import type { Backtest } from '@/api/backtests'
import type { CloneEquity, CloneFill, PublicRun } from '@/api/clones'
import { withBacktest, withFill, withMark, withRun } from './told'

const run = (run_id: string, state: PublicRun['state'] = 'executed'): PublicRun => ({
  form: 'public',
  run_id,
  clone_id: 'c',
  slot_ms: 1,
  state,
  code: null,
  finished_ms: 1,
  decisions: [],
})

test('a decision comes first, once, and replaces what was known of it', () => {
  const pages = { pages: [{ items: [run('a', 'claimed')], next_cursor: null }], pageParams: [null] }
  const ended = withRun(pages, run('a'))
  expect(ended.pages[0]?.items).toEqual([run('a')])
  expect(withRun(ended, run('b')).pages[0]?.items.map((one) => one.run_id)).toEqual(['b', 'a'])
})

const equity = (times: number[]) =>
  ({
    as_of_ms: times.at(-1) ?? null,
    equity: '1',
    curve: times.map((at_ms) => ({ at_ms, cycle: 1, equity: '1' })),
    buy_and_hold_points: [],
  }) as unknown as CloneEquity

const mark = (at_ms: number, worth = '2') =>
  ({ type: 'clone_equity', clone_id: 'c', equity: worth, drawdown: '0', at_ms }) as const

test('a newer mark makes the curve longer, a known one changes nothing', () => {
  const before = equity([1, 5])
  expect(withMark(before, mark(5))).toBe(before)
  const after = withMark(before, mark(9))
  expect(after?.curve.map((one) => one.at_ms)).toEqual([1, 5, 9])
  expect(after?.equity).toBe('2')
})

test('a curve is asked for anew once holding is far behind it, if there is any', () => {
  const long = equity(Array.from({ length: 9 }, (_, at) => at))
  const held = (count: number) => ({ ...long, buy_and_hold_points: long.curve.slice(0, count) })
  expect(withMark(held(3), mark(99))).toBeUndefined()
  expect(withMark(held(4), mark(99))?.curve).toHaveLength(10)
  expect(withMark(held(0), mark(99))?.curve).toHaveLength(10)
})

test('a fill is listed once, newest first', () => {
  const fill = (at_ms: number): CloneFill => ({
    market: 'SOL-USDC',
    side: 'buy',
    price: '1',
    quantity: '1',
    fee: '0',
    realised: '0',
    at_ms,
  })
  expect(withFill([fill(1)], fill(2)).map((one) => one.at_ms)).toEqual([2, 1])
  expect(withFill([fill(2)], fill(2))).toEqual([fill(2)])
})

test('a backtest never goes back', () => {
  const one = (state: string, minutes_done: number) => ({ backtest_id: 'b', state, minutes_done }) as Backtest
  expect(withBacktest([], one('running', 1))).toEqual([one('running', 1)])
  expect(withBacktest([one('running', 5)], one('running', 9))).toEqual([one('running', 9)])
  expect(withBacktest([one('running', 5)], one('waiting', 0))).toEqual([one('running', 5)])
  expect(withBacktest([one('done', 9)], one('running', 8))).toEqual([one('done', 9)])
})

import { expect, test } from 'vitest'
import type { OwnerRun, PublicRun } from '@/api/clones'
import { headlineOf, linesOf, reasonOf, runsOf } from './feed'

const run = (run_id: string, slot_ms: number, more: Partial<PublicRun> = {}): PublicRun => ({
  form: 'public',
  run_id,
  clone_id: 'c',
  slot_ms,
  state: 'executed',
  code: null,
  finished_ms: slot_ms,
  decisions: [],
  ...more,
})

const decision: PublicRun['decisions'][number] = {
  market: 'SOL-USDC',
  action: 'open',
  side: 'long',
  share: '0.25',
  leverage: 1,
  code: 'allowed',
  line: 'Long 25% of equity in SOL/USDC',
}

test('pages that overlap show each run once, newest first', () => {
  const runs = runsOf([{ items: [run('b', 2), run('a', 1)] }, { items: [run('a', 1), run('0', 0)] }])
  expect(runs.map((one) => one.run_id)).toEqual(['b', 'a', '0'])
})

test('a headline says what was done, else how it ended', () => {
  const done = run('a', 1, { decisions: [decision, { ...decision, action: 'hold', code: 'hold' }] })
  expect(headlineOf(done, linesOf(done))).toBe('Long 25% SOL/USDC')
  expect(headlineOf(run('a', 1, { state: 'held' }), [])).toBe('Hold')
  expect(headlineOf(run('a', 1, { state: 'failed', code: 'timeout' }), [])).toBe('Failed')
})

test('the public form has nothing of the owner to show', () => {
  const [line] = linesOf(run('a', 1, { decisions: [decision] }))
  expect(line?.own).toBeUndefined()
  expect(line?.allowed).toBe(true)
  expect(line && reasonOf(line)).toBe('')
})

test("the owner's form shows the proposal beside its verdict", () => {
  const own = {
    ...run('a', 1),
    form: 'owner',
    decisions: [
      { ...decision, reason: 'because', allowed: false, code: 'price_stale', detail: '', order_ids: [] },
    ],
  } as unknown as OwnerRun
  const [line] = linesOf(own)
  expect(line).toMatchObject({ title: 'Long 25% SOL/USDC', code: 'price_stale', allowed: false })
  expect(line?.own?.reason).toBe('because')
  expect(line && reasonOf(line)).toBe('because · The price is too old')
})

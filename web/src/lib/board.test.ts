import { expect, test } from 'vitest'
import { absenceText, type BoardTold, boardSearch, boardText, rankChange } from './board'

const board = (changes: Partial<BoardTold>): BoardTold => ({
  window: 'cycle',
  metric: 'return',
  traders: 'all',
  from_ms: null,
  ranked: 1_234,
  complete: true,
  me_absent: 'nothing_ranked',
  ...changes,
})

test('the URL says what is not as usual, and what it does not mean is left out', () => {
  expect(boardSearch({})).toEqual({})
  expect(boardSearch({ traders: 'all', window: 'cycle', metric: 'return', limit: '50' })).toEqual({})
  expect(boardSearch({ traders: 'clones', window: '7d', metric: 'drawdown', limit: 100 })).toEqual({
    traders: 'clones',
    window: '7d',
    metric: 'drawdown',
    limit: 100,
  })
  expect(boardSearch({ traders: 'bots', window: 7, metric: null, limit: 'many', other: 1 })).toEqual({})
  expect(boardSearch({ limit: 9_999 })).toEqual({ limit: 200 })
  expect(boardSearch({ limit: -1 })).toEqual({})
})

test('a rank rises when its number falls', () => {
  expect(rankChange(2, 5, 1)).toEqual({ kind: 'up', places: 3 })
  expect(rankChange(5, 2, 1)).toEqual({ kind: 'down', places: 3 })
  expect(rankChange(2, 2, 1)).toEqual({ kind: 'same', places: 0 })
  expect(rankChange(2, null, 1).kind).toBe('new')
  expect(rankChange(2, null, null).kind).toBe('unknown')
})

test('a board says by what it ranks, since when, and among how many', () => {
  expect(boardText(board({}))).toBe(
    '1,234 accounts, ranked by what each account would have made since the start of its cycle if everything were closed now.',
  )
  const week = board({ window: '7d', from_ms: Date.UTC(2026, 1, 3), ranked: 1 })
  expect(boardText(week)).toMatch(/^1 account, .* since 00:00 UTC on 2026-02-03 if/)
  expect(boardText(board({ metric: 'drawdown', complete: false }))).toMatch(/only the best are compared/)
})

test('who has no row is told why', () => {
  expect(absenceText(board({ me_absent: null }))).toBeUndefined()
  expect(absenceText(board({ me_absent: 'signed_out' }))).toBe('Sign in to find yourself.')
  expect(absenceText(board({}))).toBe('You are here soon after your first fill.')
  expect(absenceText(board({ traders: 'clones' }))).toMatch(/None of your clones/)
  expect(absenceText(board({ window: '7d' }))).toMatch(/since then/)
  expect(absenceText(board({ complete: false }))).toMatch(/not among those compared/)
})

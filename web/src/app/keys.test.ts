import { expect, test } from 'vitest'
import { CHORD_MS, HELP, readPress } from './keys'

const press = (key: string, change = {}) => ({
  key,
  ctrl: false,
  meta: false,
  alt: false,
  typing: false,
  ...change,
})

test('single keys choose a side and a type, search and show help', () => {
  const actions = ['b', 'S', 'm', 'l', '/', '?', 'x'].map((key) => readPress(press(key), undefined, 0).action)
  expect(actions).toEqual([
    { do: 'side', side: 'buy' },
    { do: 'side', side: 'sell' },
    { do: 'type', type: 'market' },
    { do: 'type', type: 'limit' },
    { do: 'search' },
    { do: 'help' },
    undefined,
  ])
})

test('g and a letter in time opens a page, so g s is settings and not the sell side', () => {
  expect(readPress(press('g'), undefined, 100)).toEqual({ chordMs: 100 })
  expect(readPress(press('s'), 100, 100 + CHORD_MS).action).toEqual({ do: 'go', to: '/settings' })
  expect(readPress(press('s'), 100, 101 + CHORD_MS).action).toEqual({ do: 'side', side: 'sell' })
  expect(readPress(press('x'), 100, 200)).toEqual({})
})

test('nothing happens while typing or with a modifier held', () => {
  for (const change of [{ typing: true }, { ctrl: true }, { meta: true }, { alt: true }]) {
    for (const key of ['b', 's', '/', '?', 'g'])
      expect(readPress(press(key, change), undefined, 0)).toEqual({})
  }
})

test('the help names every page that g opens', () => {
  for (const letter of ['t', 'p', 'l', 'c', 'd', 's', 'h']) {
    expect(HELP.some(([keys]) => keys === `g then ${letter}`)).toBe(true)
  }
})

import { expect, test } from 'vitest'
import { percentText, readPercent } from './percent'

test('per cent are read to the millionth and written back', () => {
  for (const [typed, ppm] of [
    ['12.5', 125_000],
    ['100', 1_000_000],
    ['0.0001', 1],
    ['-30', -300_000],
    ['0', 0],
  ] as const) {
    expect(readPercent(typed)).toBe(ppm)
    expect(percentText(ppm)).toBe(typed)
  }
  expect(readPercent(' 7,5 % ')).toBe(75_000)
})

test('what is no percentage is not guessed', () => {
  for (const typed of ['', 'x', '1.23456', '1e3', '--1', '.5']) expect(readPercent(typed)).toBeUndefined()
})

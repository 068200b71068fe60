import { expect, test } from 'vitest'
import { toCsv } from './csv'

test('cells are quoted as spreadsheets expect and numbers stay numbers', () => {
  expect(
    toCsv(
      ['a', 'b'],
      [
        ['x,y', '-1.5'],
        ['say "hi"', null],
        ['two\nlines', 7],
      ],
    ),
  ).toBe('a,b\r\n"x,y",-1.5\r\n"say ""hi""",\r\n"two\nlines",7\r\n')
})

test('text that a spreadsheet would run is defused', () => {
  expect(toCsv(['a'], [['=1+1'], ['@cmd'], ['-x']])).toBe("a\r\n'=1+1\r\n'@cmd\r\n'-x\r\n")
})

import { expect, test } from 'vitest'
import { readDecimal } from './typed'

const wanted = { what: 'a price', name: 'A price', places: 8, example: '150' }

test('nothing is rounded: digits beyond the places are refused, zeros beyond them are nothing', () => {
  expect(readDecimal('150.123456780', wanted).text).toBe('150.12345678')
  expect(readDecimal('150.123456789', wanted).reason).toBe('A price has at most 8 decimals.')
})

import { expect, test } from 'vitest'
import {
  briefPrice,
  chainName,
  directionOf,
  formatPpm,
  formatPrice,
  formatSignedUsd,
  formatUsd,
  formatWire,
  grouped,
  sentence,
  sharePpm,
  shortAddress,
} from './format'

test('amounts are grouped, rounded to cents and never invented', () => {
  expect(formatUsd(10_000_000_000n)).toBe('10,000.00')
  expect(formatUsd(-1_234_567_891n)).toBe('−1,234.57')
  expect(formatUsd(999n)).toBe('0.00')
  expect(formatUsd(undefined)).toBe('–')
})

test('a change carries its sign, and what rounds to zero carries none', () => {
  expect(formatSignedUsd(1_200_000n)).toBe('+1.20')
  expect(formatSignedUsd(-30_000n)).toBe('−0.03')
  expect(formatSignedUsd(4_000n)).toBe('0.00')
  expect(directionOf(4_000n)).toBe('flat')
  expect(directionOf(-6_000n)).toBe('down')
})

test('decimal strings keep every digit the server sent', () => {
  expect(formatWire('146.7', 2)).toBe('146.70')
  expect(formatWire('146.74125', 2)).toBe('146.74125')
  expect(formatWire('1234567', 0)).toBe('1,234,567')
  expect(formatWire(null, 2)).toBe('–')
})

test('a price keeps its width whatever digits the mid has', () => {
  expect(formatPrice('95475.32531', 2)).toBe('95,475.33')
  expect(formatPrice('146.6', 4)).toBe('146.6000')
  expect(formatPrice(null, 2)).toBe('–')
})

test('parts per million read as percent', () => {
  expect(formatPpm(12_345)).toBe('+1.23%')
  expect(formatPpm(-500)).toBe('−0.05%')
  expect(formatPpm(0)).toBe('0.00%')
  expect(sharePpm(1n, 4n)).toBe(250_000)
  expect(sharePpm(1n, 0n)).toBeUndefined()
})

test('addresses and chains are recognisable', () => {
  expect(shortAddress('0x1234567890abcdef1234567890abcdef12345678')).toBe('0x1234…5678')
  expect(shortAddress('7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU')).toBe('7xKX…gAsU')
  expect(chainName('eip155:6343')).toBe('MegaETH testnet')
  expect(chainName('eip155:10')).toBe('EVM chain 10')
})

test('a count is grouped by thousands', () => {
  expect([7, 1_234, 1_234_567].map(grouped)).toEqual(['7', '1,234', '1,234,567'])
})

test('what the server says is a sentence', () => {
  expect(sentence('the database is away; try again')).toBe('The database is away; try again.')
  expect(sentence('Nothing changed.')).toBe('Nothing changed.')
})

test('a small price has the decimals it takes to see it move', () => {
  const prices = ['95432.1', '146.639', '12.3456', '2.5', '0.20012', '0.0000123', '0']
  const brief = ['95,432.10', '146.64', '12.346', '2.5000', '0.20012', '0.000012300', '0.00']
  expect(prices.map(briefPrice)).toEqual(brief)
  expect(briefPrice(undefined)).toBe('–')
})

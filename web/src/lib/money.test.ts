import { describe, expect, test } from 'vitest'
import {
  floorDiv,
  notionalMicros,
  parseE8,
  parseMicros,
  parseNanos,
  parseWire,
  roundTo,
  toWire,
} from './money'

describe('decimal strings of the wire', () => {
  test('are read exactly, with their sign and unit', () => {
    expect(parseMicros('150.415017')).toBe(150_415_017n)
    expect(parseMicros('-0.000001')).toBe(-1n)
    expect(parseNanos('1')).toBe(1_000_000_000n)
    expect(parseE8('146.74')).toBe(14_674_000_000n)
  })

  test('survive a round trip beyond the precision of a double', () => {
    for (const text of ['9007199254740993.000001', '0.000001', '-12.5', '0', '10000']) {
      expect(toWire(parseMicros(text), 6)).toBe(text)
    }
  })

  test('are refused when they are not plain decimals of the unit', () => {
    for (const text of ['', '1e3', 'NaN', '1.', '.5', '+1', '1,000', '0.0000001', '0x10', ' 1']) {
      expect(() => parseWire(text, 6), text).toThrow()
    }
  })
})

describe('rounding', () => {
  test('division goes towards minus infinity on both signs', () => {
    expect(floorDiv(7n, 2n)).toBe(3n)
    expect(floorDiv(-7n, 2n)).toBe(-4n)
    expect(floorDiv(-8n, 2n)).toBe(-4n)
    expect(floorDiv(0n, 2n)).toBe(0n)
  })

  test('a holding is worth the floor of quantity times price', () => {
    expect(notionalMicros(parseNanos('1'), parseE8('150.415017'))).toBe(150_415_017n)
    expect(notionalMicros(1n, parseE8('99.99999999'))).toBe(0n)
    expect(notionalMicros(parseNanos('10'), parseE8('150'))).toBe(parseMicros('1500'))
  })

  test('display rounding is half away from zero and can add places', () => {
    expect(roundTo(parseMicros('1.005'), 6, 2)).toBe(101n)
    expect(roundTo(parseMicros('-1.005'), 6, 2)).toBe(-101n)
    expect(roundTo(parseMicros('1.004999'), 6, 2)).toBe(100n)
    expect(roundTo(15n, 1, 3)).toBe(1500n)
  })
})

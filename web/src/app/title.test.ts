import { expect, test } from 'vitest'
import { titleOf } from './title'

test('every page has a title of its own, and the trade page names its market', () => {
  expect(titleOf('/', undefined)).toBe('Pump Party')
  expect(titleOf('/trade', 'SOL-PERP')).toBe('SOL-PERP · Trade · Pump Party')
  expect(titleOf('/trade', undefined)).toBe('Trade · Pump Party')
  expect(titleOf('/studio/some-id', undefined)).toBe('Studio · Pump Party')
  expect(titleOf('/nowhere', 'SOL-PERP')).toBe('Pump Party')
})

import { expect, test } from 'vitest'
import { costText } from './costs'

test('a cost that is not known is said to be unknown, never zero', () => {
  expect(costText({ cost: '0', calls: 3, unpriced_calls: 3 })).toBe('cost unknown')
  expect(costText({ cost: '0.0123', calls: 3, unpriced_calls: 1 })).toBe('at least 0.0123 USD')
  expect(costText({ cost: '0.0123', calls: 3, unpriced_calls: 0 })).toBe('0.0123 USD')
  expect(costText({ cost: '0', calls: 1, unpriced_calls: 0 })).toBe('0.00 USD')
})

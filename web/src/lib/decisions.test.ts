import { expect, test } from 'vitest'
import { codeText, isUnderWay, shareText, wantedText } from './decisions'

test('a proposal says action, size and market', () => {
  const open = { market: 'SOL-USDC', action: 'open', side: 'long', share: '0.25', leverage: 1 }
  expect(wantedText(open)).toBe('Long 25% SOL/USDC')
  expect(wantedText({ ...open, side: 'short', leverage: 3 })).toBe('Short 25% at 3× SOL/USDC')
  expect(wantedText({ ...open, action: 'reduce', share: '0.1' })).toBe('Reduce SOL/USDC to 10%')
  expect(wantedText({ ...open, action: 'close' })).toBe('Close SOL/USDC')
  expect(wantedText({ ...open, action: 'hold' })).toBe('Hold SOL/USDC')
})

test('a share keeps every digit it has', () => {
  expect(['0', '1', '0.05', '0.125', '0.300001', '-0.5'].map(shareText)).toEqual([
    '0%',
    '100%',
    '5%',
    '12.5%',
    '30.0001%',
    '−50%',
  ])
})

test('a code nobody has put into words is shown as it is', () => {
  expect(codeText('price_stale')).toBe('The price is too old')
  expect(codeText('something_new')).toBe('something new')
})

test('a run is under way until it has an outcome', () => {
  expect(isUnderWay('submitted')).toBe(true)
  expect(['executed', 'held', 'rejected', 'late', 'failed'].some(isUnderWay)).toBe(false)
})

import { expect, test } from 'vitest'
import { mergeAccounts } from './queries'
import type { Account, Position } from './types'

const account = (account_id: string, seq: number, positions: Position[] = []) =>
  ({ account_id, seq, positions }) as unknown as Account

test('a snapshot never undoes what the socket told or what was opened since', () => {
  const known = [account('a', 9), account('just opened', 1)]
  expect(mergeAccounts(known, [account('a', 7)])).toEqual([account('a', 9), account('just opened', 1)])
})

test('a newer snapshot replaces what is known, at the same number too', () => {
  const fresh = { ...account('a', 9), cash: '1' }
  expect(mergeAccounts([account('a', 9)], [fresh])).toEqual([fresh])
  expect(mergeAccounts([], [fresh])).toEqual([fresh])
})

test('a market that was sold out is not held, by snapshot as by socket', () => {
  const position = (market: string, quantity: string) => ({ market, quantity }) as Position
  const [merged] = mergeAccounts(
    [],
    [account('a', 9, [position('ETH-USDC', '0'), position('SOL-USDC', '0.5')])],
  )
  expect(merged?.positions.map((one) => one.market)).toEqual(['SOL-USDC'])
})

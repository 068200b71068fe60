import { expect, test } from 'vitest'
import { mergeAccounts } from './queries'
import type { Account } from './types'

const account = (account_id: string, seq: number) => ({ account_id, seq }) as Account

test('a snapshot never undoes what the socket told or what was opened since', () => {
  const known = [account('a', 9), account('just opened', 1)]
  expect(mergeAccounts(known, [account('a', 7)])).toEqual([account('a', 9), account('just opened', 1)])
})

test('a newer snapshot replaces what is known, at the same number too', () => {
  const fresh = { ...account('a', 9), cash: '1' }
  expect(mergeAccounts([account('a', 9)], [fresh])).toEqual([fresh])
  expect(mergeAccounts([], [fresh])).toEqual([fresh])
})

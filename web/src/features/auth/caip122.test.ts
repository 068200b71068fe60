import { expect, test } from 'vitest'
import { parseSignIn, renderSignIn } from './caip122'

const MESSAGE = `localhost:8400 wants you to sign in with your Solana account:
7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU

Sign in to Pump Party. Signing proves identity; it moves no funds.

URI: http://localhost:8400
Version: 1
Chain ID: mainnet
Nonce: 8f14e45fceea167a
Issued At: 2026-03-01T12:00:00.000Z
Expiration Time: 2026-03-01T12:05:00.000Z`

test('every field of the text is found and rebuilds it byte by byte', () => {
  const fields = parseSignIn(MESSAGE)
  expect(fields).toEqual({
    domain: 'localhost:8400',
    address: '7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU',
    statement: 'Sign in to Pump Party. Signing proves identity; it moves no funds.',
    uri: 'http://localhost:8400',
    version: '1',
    chainId: 'mainnet',
    nonce: '8f14e45fceea167a',
    issuedAt: '2026-03-01T12:00:00.000Z',
    expirationTime: '2026-03-01T12:05:00.000Z',
  })
  expect(fields && renderSignIn(fields)).toBe(MESSAGE)
})

test('request id and resources are kept in their order', () => {
  const message = `${MESSAGE}\nRequest ID: r-1\nResources:\n- https://a.example\n- https://b.example`
  expect(parseSignIn(message)).toMatchObject({
    requestId: 'r-1',
    resources: ['https://a.example', 'https://b.example'],
  })
})

test('a text that cannot be rebuilt exactly is not offered as fields', () => {
  for (const message of [
    '',
    'hello',
    MESSAGE.replace('Solana', 'Ethereum'),
    `${MESSAGE}\nSomething: else`,
    `${MESSAGE}\n`,
    MESSAGE.replace('funds.', 'funds.\nSecond line.'),
  ]) {
    expect(parseSignIn(message), message).toBeUndefined()
  }
})

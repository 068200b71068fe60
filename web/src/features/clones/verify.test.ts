import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { verify } from './verify'

const strategy = '{"schema":"strategy/1"}'
const salt = 'ab'.repeat(32)
const sha256 = createHash('sha256').update(strategy).digest('hex')
const commitment = createHash('sha256')
  .update(Buffer.from(salt + sha256, 'hex'))
  .digest('hex')
const revealed = { number: 1, commitment, salt, sha256, strategy }

test('a strategy that was committed to is recognised', async () => {
  expect(await verify(revealed, commitment)).toEqual({
    sha256,
    commitment,
    textMatches: true,
    commitmentMatches: true,
  })
})

test('another text, another salt and another commitment are each found out', async () => {
  const text = await verify({ ...revealed, strategy: `${strategy} ` }, commitment)
  expect([text.textMatches, text.commitmentMatches]).toEqual([false, false])
  const salted = await verify({ ...revealed, salt: 'cd'.repeat(32) }, commitment)
  expect([salted.textMatches, salted.commitmentMatches]).toEqual([true, false])
  expect((await verify(revealed, '00')).commitmentMatches).toBe(false)
})

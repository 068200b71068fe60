import { expect, test } from 'vitest'
import { Follows, followKey } from './follows'

function follows() {
  const sent: Record<string, unknown>[] = []
  let live: string[] = []
  const made = new Follows({ send: (one) => sent.push(one), onLive: (now) => (live = [...now]) })
  return { made, sent, live: () => live }
}

const KEY = followKey('clone', 'c')
const SUBSCRIBE = { type: 'subscribe', id: KEY, channel: 'clone', clone_id: 'c' }

test('many who follow one subject share one subscription, which the last one ends', () => {
  const { made, sent } = follows()
  made.opened()
  const leave = [made.follow('clone', 'c'), made.follow('clone', 'c')]
  expect(sent).toEqual([SUBSCRIBE])
  leave[0]?.()
  expect(sent).toHaveLength(1)
  leave[1]?.()
  expect(sent.at(-1)).toEqual({ type: 'unsubscribe', channel: 'clone', clone_id: 'c' })
})

test('what is followed before the socket opens, or when it opens again, is subscribed to then', () => {
  const { made, sent, live } = follows()
  made.follow('clone', 'c')
  expect(sent).toEqual([])
  made.opened()
  expect(sent).toEqual([SUBSCRIBE])
  expect(made.answered(KEY)).toEqual({ channel: 'clone', id: 'c' })
  expect(live()).toEqual([KEY])
  made.opened()
  expect(sent).toHaveLength(1)
  made.lost()
  expect(live()).toEqual([])
  made.opened()
  expect(sent).toEqual([SUBSCRIBE, SUBSCRIBE])
})

test('only what the server has answered is live', () => {
  const { made, live } = follows()
  made.opened()
  const leave = made.follow('backtest', 'b')
  expect(live()).toEqual([])
  expect(made.answered('price')).toBeUndefined()
  leave()
  expect(made.answered(followKey('backtest', 'b'))).toBeUndefined()
  expect(live()).toEqual([])
})

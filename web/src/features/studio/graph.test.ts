import { expect, test } from 'vitest'
import {
  addNode,
  connect,
  disconnect,
  edgesOf,
  inOrder,
  moveNode,
  nodeOf,
  placed,
  removeNode,
  renameNode,
  targetsFor,
  updateNode,
  whyNotAdd,
  whyNotConnect,
} from './graph'
import { type Doc, docText, emptyDoc, type NodeKind } from './strategy'

function built(...kinds: NodeKind[]): Doc {
  return kinds.reduce((doc, kind) => addNode(doc, kind).doc, emptyDoc())
}

const whole = () => {
  const doc = built('data_stream', 'asset', 'rule', 'trading_clone')
  return connect(connect(connect(doc, 'stream', 'markets'), 'markets', 'rule'), 'rule', 'clone')
}

test('a new block gets an id and a place that no other block has', () => {
  const doc = built('asset', 'asset', 'asset')
  expect(doc.strategy.nodes.map((node) => node.id)).toEqual(['markets', 'markets_2', 'markets_3'])
  const places = Object.values(placed(doc)).map(String)
  expect(new Set(places).size).toBe(3)
})

test('a strategy has one trading clone', () => {
  const doc = built('trading_clone')
  expect(whyNotAdd(doc, 'trading_clone')).toBe('A strategy has one trading clone.')
  expect(addNode(doc, 'trading_clone').id).toBeUndefined()
})

test('blocks are connected only in the direction from data to clone', () => {
  const doc = built('data_stream', 'asset', 'rule', 'trading_prompt', 'trading_clone')
  expect(targetsFor(doc, 'stream').map((node) => node.id)).toEqual(['markets'])
  expect(targetsFor(doc, 'markets').map((node) => node.id)).toEqual(['rule', 'prompt'])
  expect(targetsFor(doc, 'clone')).toEqual([])
  expect(whyNotConnect(doc, 'rule', 'markets')).toBeDefined()
  expect(connect(doc, 'rule', 'markets')).toBe(doc)
})

test('connecting never takes an edge away and never doubles one', () => {
  const doc = whole()
  const more = connect(addNode(doc, 'rule').doc, 'markets', 'rule_2')
  expect(more.strategy.edges).toEqual([...doc.strategy.edges, { source: 'markets', target: 'rule_2' }])
  expect(connect(more, 'markets', 'rule_2')).toBe(more)
})

test('a removed block takes its own edges and no others with it', () => {
  const doc = whole()
  expect(edgesOf(doc, 'rule')).toHaveLength(2)
  const rest = removeNode(doc, 'rule')
  expect(rest.strategy.edges).toEqual([{ source: 'stream', target: 'markets' }])
  expect(nodeOf(rest, 'rule')).toBeUndefined()
  expect(rest.layout).not.toHaveProperty('rule')
})

test('a renamed block keeps its edges and its place; a taken or bad id changes nothing', () => {
  const doc = whole()
  const renamed = renameNode(doc, 'rule', 'trend')
  expect(renamed.strategy.edges).toContainEqual({ source: 'markets', target: 'trend' })
  expect(renamed.strategy.edges).toContainEqual({ source: 'trend', target: 'clone' })
  expect(placed(renamed).trend).toEqual(placed(doc).rule)
  expect(renameNode(doc, 'rule', 'clone')).toBe(doc)
  expect(renameNode(doc, 'rule', 'Bad Id')).toBe(doc)
})

test('disconnecting takes away exactly one edge', () => {
  const doc = disconnect(whole(), 'markets', 'rule')
  expect(doc.strategy.edges).toEqual([
    { source: 'stream', target: 'markets' },
    { source: 'rule', target: 'clone' },
  ])
})

test('a change of a block cannot change what it is called or what it is', () => {
  const doc = updateNode(whole(), 'markets', { markets: ['SOL-USDC'], id: 'x' } as never)
  expect(nodeOf(doc, 'markets')).toEqual({ kind: 'asset', id: 'markets', markets: ['SOL-USDC'] })
})

test('a moved block lies on whole numbers, and moving alone makes a document differ', () => {
  const doc = whole()
  const moved = moveNode(doc, 'rule', 10.6, -3.2)
  expect(moved.layout.rule).toEqual([11, -3])
  expect(docText(moved)).not.toBe(docText(doc))
})

test('an outline goes from data to clone', () => {
  const doc = built('trading_clone', 'rule', 'asset', 'data_stream')
  expect(inOrder(doc).map((node) => node.kind)).toEqual(['data_stream', 'asset', 'rule', 'trading_clone'])
})

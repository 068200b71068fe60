import { expect, test } from 'vitest'
import { canonicalText, docText, emptyDoc, type Strategy, withDefaults } from './strategy'

const sparse = {
  schema: 'strategy/1',
  nodes: [
    { kind: 'trading_clone', id: 'clone', cadence_s: 60 },
    {
      kind: 'rule',
      id: 'rule',
      clauses: [
        {
          when: {
            kind: 'compare',
            left: { kind: 'feature', feature: { name: 'funding' } },
            op: 'above',
            right: { kind: 'number', value: '0', unit: 'ratio' },
          },
          // biome-ignore lint/suspicious/noThenProperty: `then` is a word of the published schema
          then: { kind: 'target', share_ppm: 1 },
        },
      ],
    },
  ],
  edges: [{ target: 'clone', source: 'rule' }],
} as unknown as Strategy

test('what may be left out makes no difference', () => {
  expect(canonicalText(withDefaults(sparse))).toBe(canonicalText(sparse))
  expect(canonicalText(sparse)).toContain('"scale_ppm":1000000')
  expect(canonicalText(sparse)).toContain('"max_position_ppm":1000000')
  expect(canonicalText(sparse)).toContain('"stop_ppm":null')
})

test('the order of drawing makes no difference', () => {
  const turned = { ...sparse, nodes: [...sparse.nodes].reverse() }
  expect(canonicalText(turned)).toBe(canonicalText(sparse))
})

test('a place that belongs to no block is no change', () => {
  const doc = { ...emptyDoc(), layout: { gone: [1, 2] as [number, number] } }
  expect(docText(doc)).toBe(docText(emptyDoc()))
})

import { expect, test } from 'vitest'
import { currentIn, diffIn, diffRows, type StrategyDiff } from './diff'
import { clauseOf, countByNode, placeOf } from './problems'

const diff: StrategyDiff = {
  nodes: [
    { node_id: 'old', kind: 'asset', change: 'removed', fields: [] },
    {
      node_id: 'rule',
      kind: 'rule',
      change: 'changed',
      fields: [{ path: 'clauses[0].then.share_ppm', before: 100, after: null }],
    },
  ],
  edges_added: [{ source: 'rule', target: 'clone' }],
  edges_removed: [{ source: 'old', target: 'rule' }],
}

test('a difference is told block by block, field by field, edge by edge', () => {
  expect(diffRows(diff)).toEqual([
    { sign: '−', text: 'block old' },
    { sign: '~', text: 'rule.clauses[0].then.share_ppm', before: '100', after: 'nothing' },
    { sign: '+', text: 'rule → clone' },
    { sign: '−', text: 'old → rule' },
  ])
})

test('a refusal hands over the newest version and the difference only when it carries them', () => {
  expect(diffIn({ code: 'version_conflict', diff })).toBe(diff)
  expect(currentIn({ current: { number: 3 } })).toBe(3)
  expect(diffIn({ diff: null })).toBeUndefined()
  expect(currentIn({})).toBeUndefined()
})

test('a problem names its block and its clause', () => {
  const problem = { path: 'nodes[2].clauses[1].when', node_id: 'rule', code: 'unit', message: '' }
  const whole = { path: 'edges', node_id: null, code: 'no_path', message: '' }
  expect(clauseOf(problem)).toBe(2)
  expect(placeOf(problem)).toBe('rule, clause 2')
  expect(placeOf(whole)).toBe('strategy')
  expect(countByNode([problem, problem, whole])).toEqual(new Map([['rule', 2]]))
})

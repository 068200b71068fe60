import { expect, test } from 'vitest'
import { newFeature, renamed } from './features'
import { addTo, conditionAs, moveClause, newClause, operandAs, removeFrom, withSide } from './rules'
import { CONDITIONS_MAX, type Condition, type Operand } from './strategy'
import { clauseText } from './words'

const compare = newClause().when as Extract<Condition, { left: Operand }>

test('a condition becomes a group around itself and the comparison comes back out', () => {
  const all = conditionAs(compare, 'all')
  expect(all).toEqual({ kind: 'all', conditions: [compare] })
  expect(conditionAs(all, 'any')).toEqual({ kind: 'any', conditions: [compare] })
  expect(conditionAs(all, 'not')).toEqual({ kind: 'not', condition: all })
  expect(conditionAs(all, 'compare')).toEqual(compare)
  expect(conditionAs(compare, 'cross')).toEqual({ ...compare, kind: 'cross' })
})

test('a group takes conditions up to its limit', () => {
  let group: Condition = { kind: 'any', conditions: [] }
  for (let at = 0; at <= CONDITIONS_MAX; at += 1) group = addTo(group)
  expect(group.kind === 'any' && group.conditions).toHaveLength(CONDITIONS_MAX)
  const fewer = removeFrom(group, 0)
  expect(fewer.kind === 'any' && fewer.conditions).toHaveLength(CONDITIONS_MAX - 1)
})

test('a number has the unit of what it is compared with', () => {
  const number = operandAs(compare.right, 'number', compare.left)
  expect(number).toEqual({ kind: 'number', value: '0', unit: 'price' })
  const rsi: Operand = { kind: 'feature', feature: newFeature('rsi'), scale_ppm: 1_000_000 }
  const changed = withSide({ ...compare, right: number }, 'left', rsi)
  expect(changed.right).toEqual({ kind: 'number', value: '0', unit: 'index' })
})

test('clauses change places and the ends stay', () => {
  const clauses = [newClause(), { ...newClause(), when: { kind: 'always' } as Condition }]
  expect(moveClause(clauses, 0, 1)).toEqual([clauses[1], clauses[0]])
  expect(moveClause(clauses, 0, -1)).toEqual(clauses)
})

test('a feature of another name keeps what fits and drops what does not', () => {
  const ema = { name: 'ema', interval: '1h', period: 50 }
  expect(renamed(ema, 'rsi')).toEqual({ name: 'rsi', interval: '1h', period: 50 })
  expect(renamed(ema, 'macd')).toEqual({ name: 'macd', interval: '1h', period: null })
  expect(renamed(ema, 'funding')).toEqual({ name: 'funding', interval: null, period: null })
  expect(renamed(newFeature('ema'), 'open_interest_change').interval).toBe('1h')
})

test('a clause reads as a sentence', () => {
  expect(clauseText(newClause())).toBe(
    'When Close (5m) is above Exponential average (5m, 20): long 25% of equity',
  )
})

/** Changing a rule: clauses in their order, conditions in their tree. Pure. */
import { newFeature, unitOfFeature } from './features'
import {
  CLAUSES_MAX,
  type Clause,
  CONDITIONS_MAX,
  type Condition,
  type Operand,
  PPM,
  type RuleAction,
  type Unit,
} from './strategy'

export const CONDITION_KINDS: readonly [kind: Condition['kind'], label: string][] = [
  ['compare', 'is above / below'],
  ['cross', 'crosses'],
  ['all', 'all of'],
  ['any', 'any of'],
  ['not', 'not'],
  ['always', 'always'],
  ['chance', 'by chance'],
]

type Comparison = Extract<Condition, { left: Operand }>

const newOperand = (): Operand => ({ kind: 'feature', feature: newFeature('close'), scale_ppm: PPM })

const newCompare = (): Comparison => ({
  kind: 'compare',
  left: newOperand(),
  op: 'above',
  right: { kind: 'feature', feature: newFeature('ema'), scale_ppm: PPM },
})

export const newAction = (kind: RuleAction['kind']): RuleAction =>
  kind === 'target'
    ? { kind, share_ppm: 250_000, leverage: 1, band_ppm: 10_000, stop_ppm: null, target_ppm: null }
    : { kind }

// biome-ignore lint/suspicious/noThenProperty: `then` is a word of the published schema
export const newClause = (): Clause => ({ when: newCompare(), then: newAction('target') })

/** The condition of another kind, keeping what it holds where that makes sense. */
export function conditionAs(condition: Condition, kind: Condition['kind']): Condition {
  if (condition.kind === kind) return condition
  switch (kind) {
    case 'compare':
    case 'cross': {
      const { left, op, right } = innerComparison(condition) ?? newCompare()
      return { kind, left, op, right }
    }
    case 'all':
    case 'any':
      if (condition.kind === 'all' || condition.kind === 'any') return { ...condition, kind }
      return { kind, conditions: [condition] }
    case 'not':
      return { kind, condition }
    case 'always':
      return { kind }
    case 'chance':
      return { kind, ppm: 500_000, seed: 1 }
  }
}

function innerComparison(condition: Condition): Comparison | undefined {
  switch (condition.kind) {
    case 'compare':
    case 'cross':
      return condition
    case 'not':
      return innerComparison(condition.condition)
    case 'all':
    case 'any':
      return condition.conditions[0] && innerComparison(condition.conditions[0])
    case 'always':
    case 'chance':
      return undefined
  }
}

export const canAddTo = (condition: Condition): boolean =>
  (condition.kind === 'all' || condition.kind === 'any') && condition.conditions.length < CONDITIONS_MAX

/** A group with one more condition at its end. */
export function addTo(group: Condition): Condition {
  if ((group.kind !== 'all' && group.kind !== 'any') || !canAddTo(group)) return group
  return { ...group, conditions: [...group.conditions, newCompare()] }
}

export function removeFrom(group: Condition, index: number): Condition {
  if (group.kind !== 'all' && group.kind !== 'any') return group
  return { ...group, conditions: group.conditions.filter((_, at) => at !== index) }
}

export const canAddClause = (clauses: readonly Clause[]) => clauses.length < CLAUSES_MAX

/** The clauses with one moved up (-1) or down (1): the order decides which is asked first. */
export function moveClause(clauses: readonly Clause[], index: number, by: -1 | 1): Clause[] {
  const moved = [...clauses]
  const one = moved[index]
  const other = moved[index + by]
  if (!one || !other) return moved
  moved[index] = other
  moved[index + by] = one
  return moved
}

export function operandAs(operand: Operand, kind: Operand['kind'], other: Operand): Operand {
  if (operand.kind === kind) return operand
  switch (kind) {
    case 'feature':
      return newOperand()
    case 'number':
      return { kind, value: '0', unit: unitOf(other) }
    case 'position':
      return { kind, which: 'return' }
  }
}

export function unitOf(operand: Operand): Unit {
  switch (operand.kind) {
    case 'feature':
      return unitOfFeature(operand.feature.name)
    case 'number':
      return operand.unit
    case 'position':
      return 'ratio'
  }
}

/** A comparison with one side changed: a bare number takes the unit of what it is compared with. */
export function withSide<C extends Comparison>(condition: C, side: 'left' | 'right', operand: Operand): C {
  const other = side === 'left' ? 'right' : 'left'
  const changed = { ...condition, [side]: operand }
  const opposite = changed[other]
  if (opposite.kind === 'number' && operand.kind !== 'number') {
    return { ...changed, [other]: { ...opposite, unit: unitOf(operand) } }
  }
  return changed
}

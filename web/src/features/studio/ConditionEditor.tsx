import { Button } from '@/ui/Button'
import { FeaturePicker } from './FeaturePicker'
import { UNIT_HINT } from './features'
import { Field, Percent, Select, Typed, WholeNumber } from './fields'
import {
  addTo,
  CONDITION_KINDS,
  canAddTo,
  conditionAs,
  operandAs,
  removeFrom,
  unitOf,
  withSide,
} from './rules'
import { type Condition, type Operand, PPM, SEED_MAX } from './strategy'

const NUMBER = /^-?(0|[1-9]\d{0,11})(\.\d{1,9})?$/
const SCALE_MAX = 100 * PPM

interface Props {
  condition: Condition
  onChange: (condition: Condition) => void
  /** What a screen reader calls it: "clause 1, condition 2". */
  label: string
  onRemove?: () => void
}

/** A condition and all below it. */
export function ConditionEditor({ condition, onChange, label, onRemove }: Props) {
  return (
    <fieldset className="min-w-0 space-y-2 border-l border-input pl-2">
      <legend className="sr-only">{label}</legend>
      <div className="flex gap-1">
        <Select
          label={`${label}: kind`}
          value={condition.kind}
          options={CONDITION_KINDS}
          onChange={(kind) => onChange(conditionAs(condition, kind as Condition['kind']))}
          testId="condition-kind"
        />
        {onRemove && (
          <Button size="small" look="quiet" aria-label={`Remove ${label}`} onClick={onRemove}>
            ×
          </Button>
        )}
      </div>
      <Body condition={condition} onChange={onChange} label={label} />
    </fieldset>
  )
}

function Body({ condition, onChange, label }: Props) {
  switch (condition.kind) {
    case 'compare':
    case 'cross':
      return <Sides condition={condition} onChange={onChange} label={label} />
    case 'all':
    case 'any':
      return <Group group={condition} onChange={onChange} label={label} />
    case 'not':
      return (
        <ConditionEditor
          condition={condition.condition}
          onChange={(inner) => onChange({ ...condition, condition: inner })}
          label={`${label}, not`}
        />
      )
    case 'always':
      return null
    case 'chance':
      return (
        <div className="grid grid-cols-2 gap-2">
          <Field label="In this share of slots">
            <Percent
              label={`${label}: share of slots`}
              value={condition.ppm}
              min={0}
              max={PPM}
              onChange={(ppm) => onChange({ ...condition, ppm })}
            />
          </Field>
          <Field label="Seed">
            <WholeNumber
              label={`${label}: seed`}
              value={condition.seed}
              min={0}
              max={SEED_MAX}
              onChange={(seed) => onChange({ ...condition, seed })}
            />
          </Field>
        </div>
      )
  }
}

type PartProps = Pick<Props, 'onChange' | 'label'>
type Comparison = Extract<Condition, { left: Operand }>
type Grouped = Extract<Condition, { conditions: Condition[] }>

function Sides({ condition, onChange, label }: PartProps & { condition: Comparison }) {
  const verb = condition.kind === 'cross' ? 'crosses ' : 'is '
  return (
    <div className="space-y-1">
      <OperandEditor
        operand={condition.left}
        other={condition.right}
        onChange={(left) => onChange(withSide(condition, 'left', left))}
        label={`${label}, left`}
      />
      <Select
        label={`${label}: direction`}
        value={condition.op}
        options={[
          ['above', `${verb}above`],
          ['below', `${verb}below`],
        ]}
        onChange={(op) => onChange({ ...condition, op: op as Comparison['op'] })}
        testId="condition-op"
      />
      <OperandEditor
        operand={condition.right}
        other={condition.left}
        onChange={(right) => onChange(withSide(condition, 'right', right))}
        label={`${label}, right`}
      />
    </div>
  )
}

function Group({ group, onChange, label }: PartProps & { group: Grouped }) {
  return (
    <div className="space-y-2">
      {group.conditions.map((one, at) => (
        <ConditionEditor
          // biome-ignore lint/suspicious/noArrayIndexKey: conditions have no identity but their place
          key={at}
          condition={one}
          label={`${label}.${at + 1}`}
          onChange={(next) =>
            onChange({ ...group, conditions: group.conditions.map((old, i) => (i === at ? next : old)) })
          }
          onRemove={() => onChange(removeFrom(group, at))}
        />
      ))}
      <Button size="small" disabled={!canAddTo(group)} onClick={() => onChange(addTo(group))}>
        Add condition
      </Button>
    </div>
  )
}

interface OperandProps {
  operand: Operand
  other: Operand
  onChange: (operand: Operand) => void
  label: string
}

function OperandEditor({ operand, other, onChange, label }: OperandProps) {
  return (
    <div className="grid grid-cols-[92px_minmax(0,1fr)] gap-1">
      <Select
        label={`${label}: kind`}
        value={operand.kind}
        options={[
          ['feature', 'feature'],
          ['number', 'number'],
          ['position', 'position'],
        ]}
        onChange={(kind) => onChange(operandAs(operand, kind as Operand['kind'], other))}
        testId="operand-kind"
      />
      {operand.kind === 'feature' && (
        <div className="space-y-1">
          <FeaturePicker
            feature={operand.feature}
            label={label}
            onChange={(feature) => onChange({ ...operand, feature })}
          />
          {operand.scale_ppm !== PPM && (
            <Percent
              label={`${label}: scale`}
              value={operand.scale_ppm}
              min={-SCALE_MAX}
              max={SCALE_MAX}
              onChange={(scale_ppm) => onChange({ ...operand, scale_ppm })}
            />
          )}
          <Scaled operand={operand} onChange={onChange} label={label} />
        </div>
      )}
      {operand.kind === 'number' && (
        <div>
          <Typed
            label={`${label}: number`}
            value={operand.value}
            read={(typed) => (NUMBER.test(typed.trim()) ? typed.trim() : undefined)}
            write={(value) => value}
            onChange={(value) => onChange({ ...operand, value, unit: unitOf(other) })}
            wrong="A number, such as 0.02 or 70."
            testId="operand-number"
          />
          <p className="mt-0.5 text-xs text-muted">{UNIT_HINT[operand.unit]}</p>
        </div>
      )}
      {operand.kind === 'position' && (
        <Select
          label={`${label}: figure of the position`}
          value={operand.which}
          options={[
            ['return', 'its return, as a ratio'],
            ['share', 'its share of equity'],
          ]}
          onChange={(which) => onChange({ kind: 'position', which: which as 'return' | 'share' })}
        />
      )}
    </div>
  )
}

type FeatureOperand = Extract<Operand, { kind: 'feature' }>

function Scaled({ operand, onChange, label }: Omit<OperandProps, 'other'> & { operand: FeatureOperand }) {
  const scaled = operand.scale_ppm !== PPM
  return (
    <label className="flex items-center gap-1 text-xs text-muted">
      <input
        type="checkbox"
        aria-label={`${label}: scaled`}
        className="size-3.5 accent-(--accent)"
        checked={scaled}
        onChange={() => onChange({ ...operand, scale_ppm: scaled ? PPM : PPM + 20_000 })}
      />
      scaled
    </label>
  )
}

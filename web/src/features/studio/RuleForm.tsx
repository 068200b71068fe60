import { Button } from '@/ui/Button'
import { ConditionEditor } from './ConditionEditor'
import { Field, MaybePercent, Percent, Select, WholeNumber } from './fields'
import { updateNode } from './graph'
import { canAddClause, moveClause, newAction, newClause } from './rules'
import { useActions } from './store'
import { type Clause, LEVERAGE_MAX, PPM, type RuleAction, type RuleNode } from './strategy'
import { clauseText, plural } from './words'

/** Clauses in order: the first that holds decides, and when none holds the clone holds. */
export function RuleForm({ node }: { node: RuleNode }) {
  const { change } = useActions()
  const set = (clauses: Clause[], mark?: string, said?: string) =>
    change((doc) => updateNode<'rule'>(doc, node.id, { clauses }), {
      ...(mark ? { mark } : {}),
      ...(said ? { said } : {}),
    })
  const replace = (at: number, clause: Clause) =>
    set(
      node.clauses.map((one, i) => (i === at ? clause : one)),
      `clause ${node.id} ${at}`,
    )
  return (
    <div className="space-y-3">
      <p className="text-xs text-muted">
        The first clause that holds decides. When none holds, nothing is traded.
      </p>
      <ol className="space-y-3">
        {node.clauses.map((clause, at) => (
          <li
            // biome-ignore lint/suspicious/noArrayIndexKey: clauses have no identity but their place
            key={at}
            data-testid="clause"
            className="space-y-2 border border-line p-2"
          >
            <ClauseHead
              at={at}
              count={node.clauses.length}
              onMove={(by) => set(moveClause(node.clauses, at, by), undefined, `Clause ${at + 1} moved`)}
              onRemove={() =>
                set(
                  node.clauses.filter((_, i) => i !== at),
                  undefined,
                  `Clause ${at + 1} removed`,
                )
              }
            />
            <p className="text-xs text-muted">{clauseText(clause)}</p>
            <ConditionEditor
              condition={clause.when}
              label={`Clause ${at + 1}, condition`}
              onChange={(when) => replace(at, { ...clause, when })}
            />
            <ActionEditor
              action={clause.then}
              label={`Clause ${at + 1}`}
              onChange={(then) => replace(at, { ...clause, then })}
            />
          </li>
        ))}
      </ol>
      <Button
        size="small"
        data-testid="add-clause"
        disabled={!canAddClause(node.clauses)}
        onClick={() =>
          set([...node.clauses, newClause()], undefined, `${plural(node.clauses.length + 1, 'clause')}`)
        }
      >
        Add clause
      </Button>
    </div>
  )
}

interface HeadProps {
  at: number
  count: number
  onMove: (by: -1 | 1) => void
  onRemove: () => void
}

function ClauseHead({ at, count, onMove, onRemove }: HeadProps) {
  const name = `clause ${at + 1}`
  return (
    <div className="flex items-center gap-1">
      <h4 className="flex-1 text-sm font-medium">Clause {at + 1}</h4>
      <Button
        size="small"
        look="quiet"
        aria-label={`Move ${name} up`}
        disabled={at === 0}
        onClick={() => onMove(-1)}
      >
        ↑
      </Button>
      <Button
        size="small"
        look="quiet"
        aria-label={`Move ${name} down`}
        disabled={at === count - 1}
        onClick={() => onMove(1)}
      >
        ↓
      </Button>
      <Button size="small" look="quiet" aria-label={`Remove ${name}`} onClick={onRemove}>
        ×
      </Button>
    </div>
  )
}

interface ActionProps {
  action: RuleAction
  label: string
  onChange: (action: RuleAction) => void
}

function ActionEditor({ action, label, onChange }: ActionProps) {
  return (
    <div className="space-y-2">
      <Field label="Then">
        <Select
          label={`${label}: action`}
          value={action.kind}
          options={[
            ['target', 'hold this much'],
            ['close', 'close the position'],
            ['hold', 'do nothing'],
          ]}
          onChange={(kind) => kind !== action.kind && onChange(newAction(kind as RuleAction['kind']))}
          testId="action-kind"
        />
      </Field>
      {action.kind === 'target' && <TargetFields action={action} label={label} onChange={onChange} />}
    </div>
  )
}

type Target = Extract<RuleAction, { kind: 'target' }>

function TargetFields({ action, label, onChange }: ActionProps & { action: Target }) {
  const set = (part: Partial<Target>) => onChange({ ...action, ...part })
  return (
    <div className="grid grid-cols-2 gap-2">
      <Field label="Share of equity" hint="negative is short, perpetuals only">
        <Percent
          label={`${label}: share of equity`}
          value={action.share_ppm}
          min={-PPM}
          max={PPM}
          onChange={(share_ppm) => set({ share_ppm })}
          testId="action-share"
        />
      </Field>
      <Field label="Leverage" hint="1 for spot">
        <WholeNumber
          label={`${label}: leverage`}
          value={action.leverage}
          min={1}
          max={LEVERAGE_MAX}
          onChange={(leverage) => set({ leverage })}
        />
      </Field>
      <Field label="Stop distance">
        <MaybePercent
          label={`${label}: stop`}
          value={action.stop_ppm}
          min={1}
          max={PPM}
          onChange={(stop_ppm) => set({ stop_ppm })}
          testId="action-stop"
        />
      </Field>
      <Field label="Profit target">
        <MaybePercent
          label={`${label}: profit target`}
          value={action.target_ppm}
          min={1}
          max={PPM}
          onChange={(target_ppm) => set({ target_ppm })}
        />
      </Field>
      <Field label="Leave alone within" hint="of equity around the share">
        <Percent
          label={`${label}: band`}
          value={action.band_ppm}
          min={0}
          max={PPM}
          onChange={(band_ppm) => set({ band_ppm })}
        />
      </Field>
    </div>
  )
}

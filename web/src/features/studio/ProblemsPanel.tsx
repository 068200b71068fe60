import { Panel } from '@/ui/Panel'
import { placeOf } from './problems'
import { useActions, useDoc, useEditor } from './store'
import { plural } from './words'

/** Everything that keeps the strategy from running. Press one to go to its block. */
export function ProblemsPanel({ failure }: { failure: string }) {
  const problems = useEditor((editor) => editor.problems)
  const checked = useEditor((editor) => editor.checked)
  const isEmpty = useDoc().strategy.nodes.length === 0
  const { select } = useActions()
  const state = failure ? 'unknown' : checked ? (problems.length === 0 ? 'valid' : 'invalid') : 'checking'
  const words = {
    unknown: 'not checked',
    checking: 'checking…',
    valid: 'ready to run',
    invalid: plural(problems.length, 'problem'),
  }
  return (
    <Panel
      title="Problems"
      aside={
        <span
          data-testid="problems"
          data-state={state}
          className={`text-sm ${state === 'invalid' || state === 'unknown' ? 'text-warn' : 'text-muted'}`}
        >
          {words[state]}
        </span>
      }
    >
      {failure && <p className="text-sm text-warn">{failure}</p>}
      {isEmpty ? (
        <p className="text-sm text-muted">
          A strategy goes data stream → asset → rule or trading prompt → trading clone.
        </p>
      ) : (
        <ul className="max-h-56 overflow-y-auto">
          {problems.map((problem) => (
            <li key={`${problem.path} ${problem.code}`} className="border-b border-line">
              <button
                type="button"
                data-testid="problem"
                disabled={problem.node_id === null}
                onClick={() => select(problem.node_id ?? undefined)}
                className="w-full py-1.5 text-left text-sm enabled:hover:bg-raised"
              >
                <span className="figure mr-2 text-xs text-accent">{placeOf(problem)}</span>
                {problem.message}
              </button>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

import { inOrder } from './graph'
import { countByNode } from './problems'
import { useActions, useDoc, useEditor } from './store'
import type { NodeKind } from './strategy'
import { KIND_NAME, nodeSummary, plural } from './words'

/** The graph as a list, for narrow screens and for whoever prefers to read: blocks in the order of their way. */
export function Outline() {
  const doc = useDoc()
  const { select } = useActions()
  const selected = useEditor((editor) => editor.selected)
  const counts = countByNode(useEditor((editor) => editor.problems))
  if (doc.strategy.nodes.length === 0) {
    return <p className="py-4 text-sm text-muted">No block yet. Add a data stream first.</p>
  }
  return (
    <ul data-testid="outline">
      {inOrder(doc).map((node) => {
        const targets = doc.strategy.edges
          .filter((edge) => edge.source === node.id)
          .map((edge) => edge.target)
        const problems = counts.get(node.id) ?? 0
        return (
          <li key={node.id} className="border-b border-line">
            <button
              type="button"
              aria-pressed={node.id === selected}
              data-testid={`outline-${node.id}`}
              onClick={() => select(node.id)}
              className={`w-full px-2 py-2 text-left ${node.id === selected ? 'bg-raised' : ''}`}
            >
              <span className="flex items-baseline justify-between gap-2">
                <span className="font-medium">{KIND_NAME[node.kind]}</span>
                <span className="figure text-xs text-muted">{node.id}</span>
              </span>
              <span className="block truncate text-sm text-muted">{nodeSummary(node)}</span>
              <span className="block text-xs text-muted">
                {onwards(node.kind, targets)}
                {problems > 0 && <span className="ml-2 text-warn">{plural(problems, 'problem')}</span>}
              </span>
            </button>
          </li>
        )
      })}
    </ul>
  )
}

function onwards(kind: NodeKind, targets: readonly string[]): string {
  if (kind === 'trading_clone') return 'the end of the way'
  return targets.length > 0 ? `→ ${targets.join(', ')}` : 'not connected onwards'
}

import { Button } from '@/ui/Button'
import { addNode, whyNotAdd } from './graph'
import { useActions, useDoc, useEditor } from './store'
import { NODE_KINDS, type NodeKind } from './strategy'
import { KIND_HINT, KIND_NAME } from './words'

/** The kinds of blocks, in the order in which they are connected. Press one to add it. */
export function Palette() {
  const doc = useDoc()
  const { change, undo, redo } = useActions()
  const canUndo = useEditor((editor) => editor.history.past.length > 0)
  const canRedo = useEditor((editor) => editor.history.future.length > 0)
  const add = (kind: NodeKind) => {
    const added = addNode(doc, kind)
    if (added.id === undefined) return
    change(() => added.doc, { said: `Added ${added.id}`, select: added.id })
  }
  return (
    <div role="toolbar" aria-label="Blocks" className="flex flex-wrap items-center gap-1">
      {NODE_KINDS.map((kind) => {
        const why = whyNotAdd(doc, kind)
        return (
          <Button
            key={kind}
            size="small"
            data-testid={`add-${kind}`}
            title={why ?? KIND_HINT[kind]}
            disabled={why !== undefined}
            onClick={() => add(kind)}
          >
            <span aria-hidden="true">+</span> {KIND_NAME[kind]}
          </Button>
        )
      })}
      <span className="ml-auto flex gap-1">
        <Button
          size="small"
          data-testid="undo"
          aria-keyshortcuts="Control+Z"
          disabled={!canUndo}
          onClick={undo}
        >
          Undo
        </Button>
        <Button
          size="small"
          data-testid="redo"
          aria-keyshortcuts="Control+Shift+Z"
          disabled={!canRedo}
          onClick={redo}
        >
          Redo
        </Button>
      </span>
    </div>
  )
}

import { useState } from 'react'
import { announce } from '@/live/announce'
import { Button } from '@/ui/Button'
import { Field, INPUT } from './fields'
import { AssetForm, CloneForm, PromptForm, StreamForm } from './forms'
import {
  connect,
  disconnect,
  edgesOf,
  GRID,
  moveNode,
  nodeOf,
  placed,
  removeNode,
  renameNode,
  targetsFor,
  whyNotRename,
} from './graph'
import { RuleForm } from './RuleForm'
import { useActions, useDoc, useEditor } from './store'
import type { StrategyNode } from './strategy'
import { KIND_HINT, KIND_NAME, plural } from './words'

/** What is selected and everything that can be done to it, without a mouse. */
export function Inspector() {
  const doc = useDoc()
  const selected = useEditor((editor) => editor.selected)
  const node = nodeOf(doc, selected)
  if (!node) {
    return (
      <p className="py-3 text-sm text-muted">Select a block to change it, or add one from the palette.</p>
    )
  }
  return (
    <div key={node.id} data-testid="inspector" data-node={node.id} className="space-y-4">
      <div>
        <h3 className="font-medium">{KIND_NAME[node.kind]}</h3>
        <p className="text-xs text-muted">{KIND_HINT[node.kind]}</p>
      </div>
      <NodeProblems id={node.id} />
      <NodeForm node={node} />
      <Connections node={node} />
      <Placing node={node} />
    </div>
  )
}

function NodeForm({ node }: { node: StrategyNode }) {
  switch (node.kind) {
    case 'data_stream':
      return <StreamForm node={node} />
    case 'asset':
      return <AssetForm node={node} />
    case 'trading_prompt':
      return <PromptForm node={node} />
    case 'rule':
      return <RuleForm node={node} />
    case 'trading_clone':
      return <CloneForm node={node} />
  }
}

function NodeProblems({ id }: { id: string }) {
  const problems = useEditor((editor) => editor.problems)
  const own = problems.filter((one) => one.node_id === id)
  if (own.length === 0) return null
  return (
    <ul className="space-y-1 border-l-2 border-warn pl-2 text-sm">
      {own.map((one) => (
        <li key={`${one.path} ${one.code}`}>{one.message}</li>
      ))}
    </ul>
  )
}

function Connections({ node }: { node: StrategyNode }) {
  const doc = useDoc()
  const { change } = useActions()
  const edges = edgesOf(doc, node.id)
  const targets = targetsFor(doc, node.id)
  return (
    <fieldset className="space-y-1 border-t border-line pt-3">
      <legend className="float-left mb-1 w-full text-xs text-muted">Connections</legend>
      {edges.map(({ source, target }) => (
        <div
          key={`${source} ${target}`}
          data-testid="connection"
          className="clear-both flex h-8 items-center gap-2 border-b border-line text-sm"
        >
          <span className="figure min-w-0 flex-1 truncate">
            {source} → {target}
          </span>
          <Button
            size="small"
            look="quiet"
            aria-label={`Disconnect ${source} from ${target}`}
            onClick={() =>
              change((now) => disconnect(now, source, target), {
                said: `Disconnected ${source} from ${target}`,
              })
            }
          >
            ×
          </Button>
        </div>
      ))}
      {node.kind !== 'trading_clone' && (
        <select
          aria-label="Connect to"
          className={`${INPUT} clear-both`}
          data-testid="connect-to"
          value=""
          disabled={targets.length === 0}
          onChange={(event) => {
            const target = event.target.value
            change((now) => connect(now, node.id, target), { said: `Connected ${node.id} to ${target}` })
          }}
        >
          <option value="">{targets.length === 0 ? 'Nothing to connect to' : 'Connect to…'}</option>
          {targets.map((one) => (
            <option key={one.id} value={one.id}>
              {one.id} ({KIND_NAME[one.kind]})
            </option>
          ))}
        </select>
      )}
    </fieldset>
  )
}

const MOVES = [
  ['←', 'left', -GRID, 0],
  ['↑', 'up', 0, -GRID],
  ['↓', 'down', 0, GRID],
  ['→', 'right', GRID, 0],
] as const

function Placing({ node }: { node: StrategyNode }) {
  const { change } = useActions()
  const doc = useDoc()
  const remove = () => {
    const edges = edgesOf(doc, node.id).length
    const said = edges === 0 ? '' : ` with ${plural(edges, 'connection')}`
    change((now) => removeNode(now, node.id), { said: `Removed ${node.id}${said}` })
  }
  return (
    <div className="space-y-3 border-t border-line pt-3">
      <Rename key={node.id} node={node} />
      <div className="flex flex-wrap items-center gap-1">
        <span className="hidden items-center gap-1 md:flex">
          <span className="mr-1 text-xs text-muted">Move</span>
          {MOVES.map(([sign, name, dx, dy]) => (
            <Button
              key={name}
              size="small"
              aria-label={`Move ${node.id} ${name}`}
              onClick={() =>
                change(
                  (now) => {
                    const [x, y] = placed(now)[node.id] ?? [0, 0]
                    return moveNode(now, node.id, x + dx, y + dy)
                  },
                  { mark: `move ${node.id}` },
                )
              }
            >
              {sign}
            </Button>
          ))}
        </span>
        <Button
          size="small"
          look="danger"
          className="ml-auto"
          data-testid="remove-block"
          aria-keyshortcuts="Delete"
          onClick={remove}
        >
          Remove block
        </Button>
      </div>
    </div>
  )
}

function Rename({ node }: { node: StrategyNode }) {
  const doc = useDoc()
  const { change } = useActions()
  const [typed, setTyped] = useState(node.id)
  const why = whyNotRename(doc, node.id, typed)
  const apply = () => {
    if (why || typed === node.id) return
    change((now) => renameNode(now, node.id, typed), { select: typed })
    announce(`Renamed to ${typed}`)
  }
  return (
    <Field label="Id" {...(why ? { hint: why } : {})}>
      <input
        className={`${INPUT} figure`}
        value={typed}
        data-testid="block-id"
        aria-invalid={why !== undefined}
        onChange={(event) => setTyped(event.target.value)}
        onBlur={apply}
        onKeyDown={(event) => event.key === 'Enter' && apply()}
      />
    </Field>
  )
}

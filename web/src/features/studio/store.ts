/** What the editor holds: the document with its history, what is selected, what is wrong with it. */
import { createContext, useContext } from 'react'
import { createStore, type StoreApi, useStore } from 'zustand'
import { announce } from '@/live/announce'
import { type History, record, redo, startHistory, undo } from './history'
import type { StrategyProblem } from './problems'
import type { Doc } from './strategy'

export interface Editor {
  history: History<Doc>
  selected: string | undefined
  problems: readonly StrategyProblem[]
  /** Whether `problems` are those of the document as it is. */
  checked: boolean
}

export type EditorStore = StoreApi<Editor>

export const createEditor = (doc: Doc): EditorStore =>
  createStore<Editor>(() => ({
    history: startHistory(doc),
    selected: undefined,
    problems: [],
    checked: false,
  }))

export const EditorContext = createContext<EditorStore | undefined>(undefined)

export function useEditorStore(): EditorStore {
  const store = useContext(EditorContext)
  if (!store) throw new Error('not inside of the editor')
  return store
}

export function useEditor<T>(select: (editor: Editor) => T): T {
  return useStore(useEditorStore(), select)
}

export const useDoc = () => useEditor((editor) => editor.history.present)

export interface Actions {
  /** One step, or more of the last step when it has the same mark. `said` is told to screen readers. */
  change: (next: (doc: Doc) => Doc, options?: { mark?: string; said?: string; select?: string }) => void
  select: (id: string | undefined) => void
  undo: () => void
  redo: () => void
}

export function actionsOn(store: EditorStore): Actions {
  const step = (move: typeof undo, said: string) => () => {
    const { history, selected } = store.getState()
    const next = move(history)
    if (next === history) return
    const still = next.present.strategy.nodes.some((node) => node.id === selected)
    store.setState({ history: next, checked: false, selected: still ? selected : undefined })
    announce(said)
  }
  return {
    change: (next, options = {}) => {
      const { history } = store.getState()
      const changed = record(history, next(history.present), options.mark)
      if (changed === history) return
      store.setState({
        history: changed,
        checked: false,
        ...('select' in options ? { selected: options.select } : {}),
      })
      if (options.said) announce(options.said)
    },
    select: (selected) => store.setState({ selected }),
    undo: step(undo, 'Undone'),
    redo: step(redo, 'Done again'),
  }
}

const known = new WeakMap<EditorStore, Actions>()

export function useActions(): Actions {
  const store = useEditorStore()
  const actions = known.get(store) ?? actionsOn(store)
  known.set(store, actions)
  return actions
}

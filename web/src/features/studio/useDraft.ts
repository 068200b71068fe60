/** Keeps the draft: in this browser at once, on the server a moment later, and only when there is something to keep. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { Problem } from '@/api/client'
import { readDraft, saveDraft } from './api'
import { docOf, draftKey, type ServerDraft } from './drafts'
import { forgetLocal, writeLocal } from './localDrafts'
import type { EditorStore } from './store'
import { type Doc, docText } from './strategy'

const LOCAL_AFTER_MS = 300
const SERVER_AFTER_MS = 1_200
const RETRY_AFTER_MS = 5_000

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'offline' | 'conflict' | 'refused'

export interface Draft {
  state: SaveState
  /** Why the server did not take it. */
  detail: string
  baseVersion: number | null
  /** Another tab saved: go on with what it saved, or save this over it. */
  takeTheirs: () => Promise<void>
  keepMine: () => Promise<void>
  /** What the server has now, after publishing: the draft goes on from there. */
  goOnFrom: (draft: ServerDraft) => void
  /** Save now; resolves once the server has it. */
  flush: () => Promise<void>
}

interface Props {
  userId: string
  cloneId: string
  store: EditorStore
  server: ServerDraft
  savedText: string
}

interface Known {
  revision: number
  baseVersion: number | null
  text: string
}

export function useDraft({ userId, cloneId, store, server, savedText }: Props): Draft {
  const known = useRef<Known>({
    revision: server.revision,
    baseVersion: server.base_version,
    text: savedText,
  })
  const [state, setState] = useState<SaveState>('saved')
  const [detail, setDetail] = useState('')
  const [baseVersion, setBaseVersion] = useState(server.base_version)
  const saving = useRef<Promise<void> | undefined>(undefined)

  const learn = useCallback((draft: ServerDraft, text: string) => {
    known.current = { revision: draft.revision, baseVersion: draft.base_version, text }
    setBaseVersion(draft.base_version)
  }, [])

  const send = useCallback(async () => {
    const doc = store.getState().history.present
    const text = docText(doc)
    if (text === known.current.text) return setState('saved')
    setState('saving')
    try {
      learn(await saveDraft(cloneId, doc, known.current), text)
      const still = docText(store.getState().history.present)
      setState(still === text ? 'saved' : 'unsaved')
      if (still === text) await forgetLocal(draftKey(userId, cloneId, known.current.baseVersion))
    } catch (error) {
      setDetail(error instanceof Error ? error.message : '')
      if (error instanceof Problem && error.code === 'draft_conflict') setState('conflict')
      else if (error instanceof Problem && !error.outcomeUnknown) setState('refused')
      else setState('offline')
    }
  }, [cloneId, userId, store, learn])

  const flush = useCallback(() => {
    const turn: Promise<void> = (saving.current ?? Promise.resolve()).then(send).finally(() => {
      if (saving.current === turn) saving.current = undefined
    })
    saving.current = turn
    return turn
  }, [send])

  useEffect(() => {
    let local: ReturnType<typeof setTimeout> | undefined
    let remote: ReturnType<typeof setTimeout> | undefined
    const onChange = (doc: Doc) => {
      clearTimeout(local)
      clearTimeout(remote)
      // Back to what the server has, but for a save under way: then the server is about to have something else.
      if (docText(doc) === known.current.text && !saving.current)
        return setState((now) => (now === 'conflict' ? now : 'saved'))
      setState((now) => (now === 'conflict' ? now : 'unsaved'))
      local = setTimeout(() => void keepHere(doc), LOCAL_AFTER_MS)
      remote = setTimeout(() => void flush(), SERVER_AFTER_MS)
    }
    const keepHere = (doc: Doc) =>
      writeLocal({
        key: draftKey(userId, cloneId, known.current.baseVersion),
        strategy: doc.strategy,
        layout: doc.layout,
        revision: known.current.revision,
        saved_ms: Date.now(),
      })
    onChange(store.getState().history.present)
    const stop = store.subscribe((now, before) => {
      if (now.history.present !== before.history.present) onChange(now.history.present)
    })
    return () => {
      clearTimeout(local)
      clearTimeout(remote)
      stop()
      const doc = store.getState().history.present
      if (docText(doc) !== known.current.text) void keepHere(doc)
    }
  }, [store, flush, userId, cloneId])

  useEffect(() => {
    if (state !== 'offline') return
    const timer = setTimeout(() => void flush(), RETRY_AFTER_MS)
    return () => clearTimeout(timer)
  }, [state, flush])

  const takeTheirs = async () => {
    const theirs = await readDraft(cloneId)
    const doc = docOf(theirs)
    learn(theirs, docText(doc))
    store.setState(({ history }) => ({
      history: { past: [...history.past, history.present], present: doc, future: [], mark: undefined },
      checked: false,
      selected: undefined,
    }))
    setState('saved')
  }
  const keepMine = async () => {
    const theirs = await readDraft(cloneId)
    known.current = { ...known.current, revision: theirs.revision, text: docText(docOf(theirs)) }
    await flush()
  }
  const goOnFrom = (draft: ServerDraft) => {
    void forgetLocal(draftKey(userId, cloneId, known.current.baseVersion))
    learn(draft, docText(docOf(draft)))
    setState(docText(store.getState().history.present) === known.current.text ? 'saved' : 'unsaved')
  }
  return { state, detail, baseVersion, takeTheirs, keepMine, goOnFrom, flush }
}

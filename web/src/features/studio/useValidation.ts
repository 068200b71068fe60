/** Asks the server what is wrong with the document, shortly after it has changed. */
import { useEffect, useState } from 'react'
import { validate } from './api'
import { type EditorStore, useEditorStore } from './store'
import { canonicalText } from './strategy'

const AFTER_MS = 350

/** Returns why the problems are not known, empty while they are. */
export function useValidation(): string {
  const store = useEditorStore()
  const [failure, setFailure] = useState('')
  useEffect(() => watch(store, setFailure), [store])
  return failure
}

function watch(store: EditorStore, setFailure: (text: string) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  let asking = new AbortController()
  let askedText = ''
  const ask = async () => {
    asking.abort()
    asking = new AbortController()
    const { strategy } = store.getState().history.present
    const text = canonicalText(strategy)
    try {
      const problems = await validate(strategy, asking.signal)
      askedText = text
      setFailure('')
      store.setState({ problems, checked: true })
    } catch (error) {
      if (!asking.signal.aborted) setFailure(error instanceof Error ? error.message : 'No answer came.')
    }
  }
  const later = () => {
    clearTimeout(timer)
    if (canonicalText(store.getState().history.present.strategy) === askedText) {
      return store.setState({ checked: true })
    }
    timer = setTimeout(() => void ask(), AFTER_MS)
  }
  void ask()
  const stop = store.subscribe((now, before) => {
    if (now.history.present !== before.history.present) later()
  })
  return () => {
    clearTimeout(timer)
    asking.abort()
    stop()
  }
}

import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { chooseKind, chooseSide } from '@/features/trade/store'
import { openDialog, useDialogs } from '@/ui/dialogs'
import { type Action, readPress } from './keys'

const FIELDS = 'input, textarea, select, [contenteditable="true"], [role="menu"]'

/** Listens for the keyboard shortcuts of the whole page. */
export function Shortcuts() {
  const navigate = useNavigate()
  useEffect(() => {
    let chordMs: number | undefined
    const act = (action: Action) => {
      if (action.do === 'go') void navigate({ to: action.to })
      else if (action.do === 'side') chooseSide(action.side)
      else if (action.do === 'type') chooseKind(action.type)
      else openDialog(action.do === 'search' ? 'markets' : 'help')
    }
    const onKey = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : null
      const typing = Boolean(target?.closest(FIELDS)) || useDialogs.getState().open !== null
      const { key, ctrlKey: ctrl, metaKey: meta, altKey: alt } = event
      const read = readPress({ key, ctrl, meta, alt, typing }, chordMs, Date.now())
      chordMs = read.chordMs
      if (!read.action) return
      event.preventDefault()
      act(read.action)
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [navigate])
  return null
}

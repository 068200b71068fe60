import { Link } from '@tanstack/react-router'
import { lazy, Suspense, useEffect, useState } from 'react'
import type { OwnerClone } from '@/api/clones'
import { Avatar } from '@/ui/Avatar'
import { Button } from '@/ui/Button'
import { Segmented } from '@/ui/Segmented'
import { Loading } from '@/ui/States'
import { BacktestPanel } from './BacktestPanel'
import { DeployPanel } from './DeployPanel'
import { DraftNotice } from './DraftNotice'
import { DryRunPanel } from './DryRunPanel'
import type { LocalDraft } from './drafts'
import { Inspector } from './Inspector'
import { Outline } from './Outline'
import { Palette } from './Palette'
import { ProblemsPanel } from './ProblemsPanel'
import { PublishDialog } from './PublishDialog'
import { StartFrom } from './StartFrom'
import { useActions, useDoc } from './store'
import type { Draft, SaveState } from './useDraft'
import { useIsWide } from './useIsWide'
import { useValidation } from './useValidation'
import { VersionsPanel } from './VersionsPanel'

const Canvas = lazy(() => import('./Canvas'))

const TABS = [
  { value: 'dry', label: 'Dry run', testId: 'tab-dry' },
  { value: 'backtest', label: 'Backtest', testId: 'tab-backtest' },
  { value: 'versions', label: 'Versions', testId: 'tab-versions' },
  { value: 'trade', label: 'Trade', testId: 'tab-trade' },
] as const
type Tab = (typeof TABS)[number]['value']

interface Props {
  clone: OwnerClone
  draft: Draft
  other: LocalDraft | undefined
}

export function EditorView({ clone, draft, other }: Props) {
  const wide = useIsWide()
  const doc = useDoc()
  const failure = useValidation()
  const [tab, setTab] = useState<Tab>('dry')
  const [publishing, setPublishing] = useState(false)
  useUndoKeys()
  return (
    <div className="space-y-4 pt-3">
      <Head clone={clone} draft={draft} onPublish={() => setPublishing(true)} />
      <DraftNotice draft={draft} other={other} />
      <Palette />
      <div className="grid gap-4 md:grid-cols-[minmax(0,1fr)_320px]">
        <div className="min-w-0">
          {doc.strategy.nodes.length === 0 && <StartFrom />}
          {wide ? (
            <div className="h-130">
              <Suspense fallback={<Loading rows={8} label="Loading the canvas" />}>
                <Canvas />
              </Suspense>
            </div>
          ) : (
            <Outline />
          )}
        </div>
        <aside
          aria-label="Inspector"
          className="min-w-0 border-line md:h-130 md:overflow-y-auto md:border-l md:pl-4"
        >
          <Inspector />
        </aside>
      </div>
      <ProblemsPanel failure={failure} />
      <Segmented
        label="What to do with the strategy"
        value={tab}
        options={TABS}
        onChange={setTab}
        className="max-w-lg"
      />
      {tab === 'dry' && <DryRunPanel cloneId={clone.clone_id} />}
      {tab === 'backtest' && <BacktestPanel clone={clone} />}
      {tab === 'versions' && <VersionsPanel clone={clone} />}
      {tab === 'trade' && <DeployPanel clone={clone} />}
      {publishing && <PublishDialog clone={clone} draft={draft} onClose={() => setPublishing(false)} />}
    </div>
  )
}

const SAVED: Record<SaveState, string> = {
  saved: 'Draft saved',
  unsaved: 'Not saved yet',
  saving: 'Saving…',
  offline: 'Kept in this browser',
  conflict: 'Saved elsewhere, too',
  refused: 'Not saved',
}

interface HeadProps {
  clone: OwnerClone
  draft: Draft
  onPublish: () => void
}

function Head({ clone, draft, onPublish }: HeadProps) {
  const troubled = draft.state === 'conflict' || draft.state === 'refused'
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <Link to="/studio" className="link text-sm text-muted hover:text-text">
        Studio
      </Link>
      <Avatar cloneId={clone.clone_id} size={32} />
      <div className="order-first min-w-0 flex-1 basis-full sm:order-none sm:basis-0">
        <h1 className="truncate text-xl font-semibold">{clone.name}</h1>
        <p className="text-xs text-muted">
          <span data-testid="published">
            {clone.version === null ? 'never published' : `version ${clone.version}`}
          </span>{' '}
          ·{' '}
          <span data-testid="draft-state" data-state={draft.state} className={troubled ? 'text-warn' : ''}>
            {SAVED[draft.state]}
          </span>
        </p>
      </div>
      <Link
        to="/clones/$id"
        params={{ id: clone.clone_id }}
        className="link text-sm text-muted hover:text-text"
      >
        Public page
      </Link>
      <Button look="accent" data-testid="publish" onClick={onPublish}>
        Publish…
      </Button>
    </div>
  )
}

const FIELDS = 'input, textarea, select'

/** Ctrl or Cmd with Z and Y. Inside of a field they belong to the field. */
function useUndoKeys() {
  const { undo, redo } = useActions()
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest(FIELDS)
      if (typing || event.altKey || !(event.ctrlKey || event.metaKey)) return
      const key = event.key.toLowerCase()
      if (key !== 'z' && key !== 'y') return
      event.preventDefault()
      if (key === 'y' || event.shiftKey) redo()
      else undo()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [undo, redo])
}

import { useState } from 'react'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { useZone } from '@/ui/preferences'
import { docOf, type LocalDraft } from './drafts'
import { useActions } from './store'
import type { Draft } from './useDraft'

interface Props {
  draft: Draft
  other: LocalDraft | undefined
}

/** Two versions of one draft: the person chooses, nothing is thrown away unseen. */
export function DraftNotice({ draft, other }: Props) {
  const zone = useZone()
  const { change } = useActions()
  const [seen, setSeen] = useState(false)
  const [failure, setFailure] = useState('')
  const attempt = (work: () => Promise<void>) => {
    setFailure('')
    work().catch((error) => setFailure(error instanceof Error ? error.message : 'No answer came.'))
  }
  if (draft.state === 'conflict') {
    return (
      <Notice testId="draft-conflict">
        <p className="min-w-0 flex-1">
          This draft was saved elsewhere meanwhile, such as in another tab. {failure}
        </p>
        <Button size="small" data-testid="take-theirs" onClick={() => attempt(draft.takeTheirs)}>
          Take what was saved
        </Button>
        <Button size="small" data-testid="keep-mine" onClick={() => attempt(draft.keepMine)}>
          Keep what I have here
        </Button>
      </Notice>
    )
  }
  if (draft.state === 'refused') {
    return (
      <Notice testId="draft-refused">
        <p className="min-w-0 flex-1">The server does not take this draft: {draft.detail}</p>
      </Notice>
    )
  }
  if (!other || seen) return null
  return (
    <Notice testId="other-draft">
      <p className="min-w-0 flex-1">
        This browser has other unsaved work of {formatDateTime(other.saved_ms, zone)}.
      </p>
      <Button
        size="small"
        onClick={() => {
          change(() => docOf(other), { said: 'Unsaved work opened' })
          setSeen(true)
        }}
      >
        Open it
      </Button>
      <Button size="small" look="quiet" onClick={() => setSeen(true)}>
        Leave it
      </Button>
    </Notice>
  )
}

function Notice({ testId, children }: { testId: string; children: React.ReactNode }) {
  return (
    <div
      role="status"
      data-testid={testId}
      className="flex flex-wrap items-center gap-2 border-l-2 border-warn bg-surface py-2 pr-2 pl-3 text-sm"
    >
      {children}
    </div>
  )
}

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { newIdempotencyKey, Problem } from '@/api/client'
import { myClonesQuery, type OwnerClone, ownCloneQuery } from '@/api/clones'
import { announce } from '@/live/announce'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { publish, readDraft, versionsQuery } from './api'
import { DiffView } from './DiffView'
import { currentIn, diffIn } from './diff'
import { useDoc, useEditor } from './store'
import { docText } from './strategy'
import type { Draft } from './useDraft'
import { plural } from './words'

interface Props {
  clone: OwnerClone
  draft: Draft
  onClose: () => void
}

/** Make the draft a version. When another was published meanwhile, show what publishing would change of it. */
export function PublishDialog({ clone, draft, onClose }: Props) {
  const client = useQueryClient()
  const doc = useDoc()
  const problems = useEditor((editor) => editor.problems)
  const intent = useRef({ for: '', key: '' })
  const send = useMutation({
    mutationFn: async (baseVersion: number | null) => {
      const wanted = `${baseVersion} ${docText(doc)}`
      if (intent.current.for !== wanted) intent.current = { for: wanted, key: newIdempotencyKey() }
      // A save under way would name a revision that publishing makes an old one.
      if (draft.state !== 'conflict') await draft.flush()
      const version = await publish(clone.clone_id, doc, baseVersion, intent.current.key)
      draft.goOnFrom(await readDraft(clone.clone_id))
      return version
    },
    onSuccess: async (version) => {
      announce(`Version ${version.number} published`)
      await Promise.all([
        client.invalidateQueries(myClonesQuery),
        client.invalidateQueries(ownCloneQuery(clone.clone_id)),
        client.invalidateQueries(versionsQuery(clone.clone_id)),
      ])
      onClose()
    },
  })
  const refusal = send.error instanceof Problem ? send.error : undefined
  const diff = refusal?.code === 'version_conflict' ? diffIn(refusal.body) : undefined
  const current = refusal && currentIn(refusal.body)
  if (diff && current !== undefined) {
    return (
      <Dialog
        open
        onClose={onClose}
        title={`Version ${current} was published meanwhile`}
        description="This is what your draft would change of it. Nothing has been published."
      >
        <div data-testid="version-conflict" className="space-y-3">
          <DiffView diff={diff} />
          <div className="flex flex-wrap justify-end gap-2">
            <Button look="quiet" onClick={onClose}>
              Keep editing
            </Button>
            <Button
              look="accent"
              data-testid="publish-over"
              disabled={send.isPending}
              onClick={() => send.mutate(current)}
            >
              Publish mine as version {current + 1}
            </Button>
          </div>
        </div>
      </Dialog>
    )
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title="Publish a version"
      description="A version never changes. Its commitment is public, its strategy stays private. A clone that trades goes on with it from its next decision."
    >
      {problems.length > 0 && (
        <p className="mb-3 text-sm text-warn">
          {plural(problems.length, 'problem')} must be solved first: {problems[0]?.message}
        </p>
      )}
      {send.error && (
        <p role="alert" className="mb-3 text-sm text-warn" data-testid="publish-error">
          {send.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button look="quiet" onClick={onClose}>
          Keep editing
        </Button>
        <Button
          look="accent"
          data-testid="confirm-publish"
          disabled={send.isPending || problems.length > 0}
          onClick={() => send.mutate(draft.baseVersion)}
        >
          {send.isPending ? 'Publishing…' : `Publish version ${(clone.version ?? 0) + 1}`}
        </Button>
      </div>
    </Dialog>
  )
}

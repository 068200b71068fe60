import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useState } from 'react'
import { type OwnerClone, ownCloneQuery } from '@/api/clones'
import { useMe } from '@/api/queries'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { Empty, Failure, Loading } from '@/ui/States'
import { readDraft } from './api'
import { type Opened, openDraft, type ServerDraft } from './drafts'
import { EditorView } from './EditorView'
import { readLocal } from './localDrafts'
import { createEditor, EditorContext } from './store'
import { useDraft } from './useDraft'

const route = getRouteApi('/studio/$id')

/** The strategy of one clone, for its owner. */
export function EditorPage() {
  const { id } = route.useParams()
  const me = useMe()
  if (me.data === null) {
    return (
      <Empty title="Sign in to edit your clone.">
        <Button look="accent" onClick={() => openDialog('sign_in')}>
          Sign in
        </Button>
      </Empty>
    )
  }
  if (me.error && me.data === undefined)
    return <Failure what="your session" error={me.error} onRetry={() => void me.refetch()} />
  if (!me.data) return <Loading rows={8} label="Loading the clone" />
  return <Opening key={`${me.data.user_id}/${id}`} userId={me.data.user_id} cloneId={id} />
}

function Opening({ userId, cloneId }: { userId: string; cloneId: string }) {
  const clone = useQuery(ownCloneQuery(cloneId))
  const opened = useQuery({
    queryKey: ['clones', 'draft', cloneId],
    queryFn: async () => {
      const server = await readDraft(cloneId)
      const local = await readLocal(userId, cloneId)
      return { server, opened: openDraft(server, local) }
    },
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  const error = clone.error ?? opened.error
  if (error && !(clone.data && opened.data)) {
    return (
      <div className="space-y-3 pt-4">
        <Failure
          what="this clone"
          error={error}
          onRetry={() => void Promise.all([clone.refetch(), opened.refetch()])}
        />
        <Link to="/studio" className="link text-accent">
          Back to the studio
        </Link>
      </div>
    )
  }
  if (!clone.data || !opened.data) return <Loading rows={8} label="Loading the clone" />
  return <Editing userId={userId} clone={clone.data} {...opened.data} />
}

interface EditingProps {
  userId: string
  clone: OwnerClone
  server: ServerDraft
  opened: Opened
}

function Editing({ userId, clone, server, opened }: EditingProps) {
  const [store] = useState(() => createEditor(opened.doc))
  const draft = useDraft({
    userId,
    cloneId: clone.clone_id,
    store,
    server,
    savedText: opened.savedText,
  })
  return (
    <EditorContext value={store}>
      <EditorView clone={clone} draft={draft} other={opened.other} />
    </EditorContext>
  )
}

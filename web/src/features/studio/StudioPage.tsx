import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { myClonesQuery, type OwnerClone } from '@/api/clones'
import { useMe } from '@/api/queries'
import { formatDate } from '@/lib/time'
import { Avatar } from '@/ui/Avatar'
import { Button } from '@/ui/Button'
import { openDialog } from '@/ui/dialogs'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { houseQuery } from './api'
import { CreateClone } from './CreateClone'

/** My clones, and where the next one begins. */
export function StudioPage() {
  const me = useMe()
  return (
    <div className="space-y-6 pt-4">
      <h1 className="text-xl font-semibold">Studio</h1>
      {me.isPending && <Loading rows={4} label="Loading your clones" />}
      {me.error && me.data === undefined && (
        <Failure what="who you are" error={me.error} onRetry={() => void me.refetch()} />
      )}
      {me.data === null && (
        <Empty title="Build a clone that trades by itself.">
          <p>A clone decides by rules or by a language model. Sign in to build one.</p>
          <Button look="accent" onClick={() => openDialog('sign_in')}>
            Sign in
          </Button>
        </Empty>
      )}
      {me.data && <MyClones />}
    </div>
  )
}

function MyClones() {
  const clones = useQuery(myClonesQuery)
  const [creating, setCreating] = useState<{ house?: string }>()
  if (clones.isPending) return <Loading rows={4} label="Loading your clones" />
  if (!clones.data) {
    return <Failure what="your clones" error={clones.error} onRetry={() => void clones.refetch()} />
  }
  return (
    <>
      {clones.data.length === 0 ? (
        <Empty title="No clone yet.">
          <p>Start from an empty canvas, or from a house strategy below: it is yours to change.</p>
        </Empty>
      ) : (
        <ul className="border-t border-line">
          {clones.data.map((clone) => (
            <CloneRow key={clone.clone_id} clone={clone} />
          ))}
        </ul>
      )}
      <Button look="accent" data-testid="create-clone" onClick={() => setCreating({})}>
        New clone
      </Button>
      <House onStart={(house) => setCreating({ house })} />
      {creating && <CreateClone {...creating} onClose={() => setCreating(undefined)} />}
    </>
  )
}

const STATES = { running: 'trading', paused: 'paused', stopped: 'stopped' } as const

function CloneRow({ clone }: { clone: OwnerClone }) {
  const zone = useZone()
  const { deployment } = clone
  return (
    <li
      data-testid="clone-row"
      className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line py-3"
    >
      <Avatar cloneId={clone.clone_id} size={44} />
      <div className="min-w-0 flex-1">
        <Link
          to="/studio/$id"
          params={{ id: clone.clone_id }}
          className="block truncate font-medium hover:underline"
        >
          {clone.name}
        </Link>
        <p className="text-sm text-muted">
          {clone.version === null ? 'draft, never published' : `version ${clone.version}`}
          {deployment && <span> · {STATES[deployment.state]}</span>}
          <span className="hidden sm:inline"> · changed {formatDate(clone.updated_ms, zone)}</span>
        </p>
        {clone.hidden_reason && (
          <p className="text-sm text-warn">Name hidden by an operator: {clone.hidden_reason}</p>
        )}
      </div>
      <Link
        to="/clones/$id"
        params={{ id: clone.clone_id }}
        className="link text-sm text-muted hover:text-text"
      >
        Public page
      </Link>
    </li>
  )
}

function House({ onStart }: { onStart: (name: string) => void }) {
  const house = useQuery(houseQuery)
  return (
    <section aria-label="House strategies" className="space-y-2 border-t border-line pt-3">
      <h2 className="text-sm font-semibold text-muted">House strategies</h2>
      {house.isPending && <Loading rows={3} />}
      {house.error && !house.data && (
        <Failure what="house strategies" error={house.error} onRetry={() => void house.refetch()} />
      )}
      <ul className="grid gap-x-6 sm:grid-cols-2">
        {house.data?.map((one) => (
          <li key={one.name} className="flex items-start gap-3 border-b border-line py-2">
            <div className="min-w-0 flex-1">
              <h3 className="font-medium">{one.title}</h3>
              <p className="text-sm text-muted">{one.summary}</p>
            </div>
            <Button size="small" data-testid={`start-${one.name}`} onClick={() => onStart(one.name)}>
              Start from it
            </Button>
          </li>
        ))}
      </ul>
    </section>
  )
}

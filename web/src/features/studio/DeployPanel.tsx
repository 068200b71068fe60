import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { newIdempotencyKey } from '@/api/client'
import { type Deployment, type OwnerClone, ownCloneQuery, putDeployment } from '@/api/clones'
import { accountsQuery, ruleSetsQuery } from '@/api/queries'
import { MISSING } from '@/lib/format'
import { nextSlotMs } from '@/lib/slots'
import { formatTime } from '@/lib/time'
import { announce } from '@/live/announce'
import { useNow } from '@/live/status'
import { useFollowed } from '@/live/subjects'
import { Button } from '@/ui/Button'
import { Cell, Cells, Panel } from '@/ui/Panel'
import { usePreferences, useZone } from '@/ui/preferences'
import { Empty } from '@/ui/States'
import { changeDeployment, deploy } from './api'
import { Select } from './fields'
import { cadenceText } from './words'

const POLL_MS = 15_000

/** Let the newest version trade an account of its own. */
export function DeployPanel({ clone }: { clone: OwnerClone }) {
  // Its state changes elsewhere, too: in another tab, or by an operator.
  const isLive = useFollowed('clone', [clone.clone_id]).has(clone.clone_id)
  useQuery({ ...ownCloneQuery(clone.clone_id), refetchInterval: isLive ? false : POLL_MS })
  const now = clone.deployment
  if (clone.version === null) {
    return (
      <Panel title="Trade">
        <Empty title="Nothing to trade with yet.">
          <p>Publish a version first: only a version can trade.</p>
        </Empty>
      </Panel>
    )
  }
  return (
    <Panel
      title="Trade"
      aside={
        now && (
          <span data-testid="deployment-state" data-state={now.state} className="text-sm text-accent">
            {now.state}
            {now.state === 'running' && now.account_status !== 'active' && `, account ${now.account_status}`}
          </span>
        )
      }
    >
      {now && <Running clone={clone} deployment={now} />}
      {(now === null || now.state === 'stopped') && <Start clone={clone} />}
    </Panel>
  )
}

function Start({ clone }: { clone: OwnerClone }) {
  const client = useQueryClient()
  const ruleSets = useQuery(ruleSetsQuery).data ?? []
  const own = ruleSets.filter((one) => one.kind === 'clone')
  const [chosen, setChosen] = useState('')
  const intent = useRef({ for: '', key: '' })
  const start = useMutation({
    mutationFn: () => {
      const wanted = `${chosen} ${clone.version}`
      if (intent.current.for !== wanted) intent.current = { for: wanted, key: newIdempotencyKey() }
      return deploy(clone.clone_id, chosen || undefined, intent.current.key)
    },
    onSuccess: async (made) => {
      intent.current = { for: '', key: '' }
      putDeployment(clone.clone_id, made)
      announce(`${clone.name} trades`)
      await client.invalidateQueries(accountsQuery)
    },
  })
  return (
    <div className="space-y-2">
      <p className="text-sm text-muted">
        It gets an account of its own with virtual USD and decides by itself from the next slot on.
      </p>
      <div className="flex flex-wrap items-center gap-2">
        <span className="w-56">
          <Select
            label="How orders fill"
            value={chosen}
            options={[['', 'the default rules'], ...own.map((one) => [one.name, one.name] as const)]}
            onChange={setChosen}
          />
        </span>
        <Button
          look="accent"
          data-testid="let-it-trade"
          disabled={start.isPending}
          onClick={() => start.mutate()}
        >
          {start.isPending ? 'Starting…' : 'Let it trade'}
        </Button>
      </div>
      {start.error && <p className="text-sm text-warn">{start.error.message} Trying again is safe.</p>}
    </div>
  )
}

function Running({ clone, deployment }: { clone: OwnerClone; deployment: Deployment }) {
  const zone = useZone()
  const nowMs = useNow(1_000)
  const [stopping, setStopping] = useState(false)
  const change = useMutation({
    mutationFn: (to: 'pause' | 'resume' | 'stop') => changeDeployment(clone.clone_id, to),
    onSuccess: (made) => {
      putDeployment(clone.clone_id, made)
      announce(`${clone.name}: ${made.state}`)
    },
  })
  const state = deployment.state
  return (
    <div className="space-y-3">
      <Cells>
        <Cell label="Version">{deployment.version}</Cell>
        <Cell label="Decides every">{cadenceText(deployment.cadence_s)}</Cell>
        <Cell label="Next decision">
          {state === 'running' ? formatTime(nextSlotMs(nowMs, deployment.cadence_s), zone) : MISSING}
        </Cell>
        <Cell label="Rules">{deployment.rule_set}</Cell>
      </Cells>
      {deployment.unreadable_conditions.length > 0 && (
        <p className="text-sm text-warn" data-testid="unreadable-conditions">
          The condition on its position in {deployment.unreadable_conditions.join(', ')} cannot be opened:
          nobody watches it, and its decisions fail. Close the position through its API, or stop it and let it
          trade anew. An operator may bring back the key or a backup.
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        {state === 'running' && (
          <Button disabled={change.isPending} data-testid="pause" onClick={() => change.mutate('pause')}>
            Pause
          </Button>
        )}
        {state === 'paused' && (
          <Button disabled={change.isPending} data-testid="resume" onClick={() => change.mutate('resume')}>
            Resume
          </Button>
        )}
        {state !== 'stopped' && !stopping && (
          <Button look="quiet" data-testid="stop" onClick={() => setStopping(true)}>
            Stop…
          </Button>
        )}
        {state !== 'stopped' && stopping && (
          <>
            <span className="text-sm">For good? What it holds stays with the account.</span>
            <Button
              look="danger"
              disabled={change.isPending}
              data-testid="confirm-stop"
              onClick={() => change.mutate('stop')}
            >
              Stop for good
            </Button>
            <Button look="quiet" onClick={() => setStopping(false)}>
              Let it trade on
            </Button>
          </>
        )}
        <Link
          to="/portfolio"
          onClick={() => usePreferences.setState({ account: deployment.account_id })}
          className="link text-sm text-accent"
          data-testid="its-account"
        >
          Its account
        </Link>
        <Link
          to="/clones/$id"
          params={{ id: clone.clone_id }}
          className="link text-sm text-accent"
          data-testid="its-decisions"
        >
          Its decisions
        </Link>
      </div>
      {change.error && <p className="text-sm text-warn">{change.error.message}</p>}
    </div>
  )
}

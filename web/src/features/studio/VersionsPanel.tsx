import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { OwnerClone } from '@/api/clones'
import { formatDateTime } from '@/lib/time'
import { announce } from '@/live/announce'
import { Button } from '@/ui/Button'
import { Dialog } from '@/ui/Dialog'
import { Panel, TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { diffQuery, readVersion, revealVersion, type VersionSummary, versionsQuery } from './api'
import { DiffView } from './DiffView'
import { docOf } from './drafts'
import { Select } from './fields'
import { useActions } from './store'

/** Every version that was published, what changed between two, and the way back to one. */
export function VersionsPanel({ clone }: { clone: OwnerClone }) {
  const versions = useQuery(versionsQuery(clone.clone_id))
  const zone = useZone()
  const { change } = useActions()
  const [failure, setFailure] = useState('')
  const restore = async (number: number) => {
    try {
      const version = await readVersion(clone.clone_id, number)
      change(() => docOf(version), { said: `Version ${number} is in the draft` })
      setFailure('')
    } catch (error) {
      setFailure(error instanceof Error ? error.message : 'No answer came.')
    }
  }
  if (versions.isPending) return <Loading label="Loading versions" />
  if (!versions.data) {
    return <Failure what="versions" error={versions.error} onRetry={() => void versions.refetch()} />
  }
  if (versions.data.length === 0) return <Empty title="No version yet. Publish the draft to make one." />
  const numbers = versions.data.map((one) => one.number)
  return (
    <Panel title="Versions">
      {failure && <p className="mb-2 text-sm text-warn">{failure}</p>}
      <TableScroll label="Versions">
        <table className="ruled">
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Published</th>
              <th scope="col">Content</th>
              <th scope="col">Commitment</th>
              <th scope="col">
                <span className="sr-only">Action</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {versions.data.map((one) => (
              <tr
                key={one.number}
                data-testid="version-row"
                data-version={one.number}
                data-revealed={one.revealed_ms !== null}
              >
                <td className="figure">{one.number}</td>
                <td className="figure text-sm">{formatDateTime(one.published_ms, zone)}</td>
                <td className="figure text-xs" title={one.sha256}>
                  {one.sha256.slice(0, 12)}…
                </td>
                <td className="figure text-xs" title={one.commitment}>
                  {one.commitment.slice(0, 12)}…
                </td>
                <td className="text-right">
                  <span className="inline-flex gap-2">
                    <Button
                      size="small"
                      aria-label={`Restore version ${one.number}`}
                      onClick={() => void restore(one.number)}
                    >
                      Restore into the draft
                    </Button>
                    <Reveal cloneId={clone.clone_id} version={one} />
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableScroll>
      {numbers.length > 1 && <Compare cloneId={clone.clone_id} numbers={numbers} />}
    </Panel>
  )
}

/** `numbers` are newest first. */
function Compare({ cloneId, numbers }: { cloneId: string; numbers: readonly number[] }) {
  const [before, setBefore] = useState(numbers[1] ?? 1)
  const [after, setAfter] = useState(numbers[0] ?? 1)
  const diff = useQuery(diffQuery(cloneId, before, after))
  const options = numbers.map((one) => [String(one), `version ${one}`] as const)
  return (
    <div className="mt-4 space-y-2">
      <div className="grid max-w-sm grid-cols-[1fr_auto_1fr] items-center gap-2">
        <Select
          label="Compare from"
          value={String(before)}
          options={options}
          onChange={(text) => setBefore(Number(text))}
        />
        <span className="text-muted">→</span>
        <Select
          label="Compare to"
          value={String(after)}
          options={options}
          onChange={(text) => setAfter(Number(text))}
        />
      </div>
      {diff.isPending && <Loading rows={2} />}
      {diff.error && <Failure what="the difference" error={diff.error} onRetry={() => void diff.refetch()} />}
      {diff.data && <DiffView diff={diff.data} />}
    </div>
  )
}

/** A strategy that everybody has seen cannot be made private again: asked twice. */
function Reveal({ cloneId, version }: { cloneId: string; version: VersionSummary }) {
  const client = useQueryClient()
  const [asking, setAsking] = useState(false)
  const reveal = useMutation({
    mutationFn: () => revealVersion(cloneId, version.number),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: versionsQuery(cloneId).queryKey })
      await client.invalidateQueries({ queryKey: ['clones', 'commitments', cloneId] })
      announce(`Version ${version.number} is public`)
      setAsking(false)
    },
  })
  if (version.revealed_ms !== null) return <span className="self-center text-sm text-accent">public</span>
  return (
    <>
      <Button
        size="small"
        look="quiet"
        data-testid="reveal"
        aria-label={`Reveal version ${version.number}`}
        onClick={() => setAsking(true)}
      >
        Reveal…
      </Button>
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={`Show version ${version.number} to everybody?`}
        description="Its whole strategy, prompts and rules, becomes public for good. Anybody can then check it against the commitment."
      >
        {reveal.error && <p className="mb-3 text-sm text-warn">{reveal.error.message}</p>}
        <div className="flex justify-end gap-2">
          <Button data-first-focus look="quiet" onClick={() => setAsking(false)}>
            Keep it private
          </Button>
          <Button
            look="danger"
            data-testid="confirm-reveal"
            disabled={reveal.isPending}
            onClick={() => reveal.mutate()}
          >
            {reveal.isPending ? 'Revealing…' : 'Reveal for good'}
          </Button>
        </div>
      </Dialog>
    </>
  )
}

import { useMutation, useQuery } from '@tanstack/react-query'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Evidence } from '@/ui/Evidence'
import { Panel } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Failure, Loading } from '@/ui/States'
import { type Commitment, commitmentsQuery, readRevealed } from './api'
import { canVerify, type Verified, verify } from './verify'

/** Every version, fixed by a hash when it was published; those that were revealed can be checked by anybody. */
export function Commitments({ cloneId, newest }: { cloneId: string; newest: number }) {
  const commitments = useQuery(commitmentsQuery(cloneId))
  const known = commitments.data ?? []
  const revealed = known.filter((one) => one.revealed_ms !== null).length
  return (
    <Panel
      title="Versions"
      aside={
        <span className="text-xs text-muted">
          {revealed === 0 ? 'the strategy is private' : `${revealed} revealed`}
        </span>
      }
    >
      <details className="group/versions" data-testid="commitments">
        <summary className="flex min-h-9 items-center gap-2 text-sm">
          <span aria-hidden="true" className="text-muted group-open/versions:rotate-90">
            ▸
          </span>
          <span>
            {newest === 1
              ? 'One version, fixed by its commitment before it traded'
              : `${newest} versions, each fixed by its commitment before it traded`}
          </span>
        </summary>
        {commitments.isPending && <Loading rows={2} label="Loading commitments" />}
        {commitments.error && !commitments.data && (
          <Failure what="commitments" error={commitments.error} onRetry={() => void commitments.refetch()} />
        )}
        <ol>
          {known.map((one) => (
            <Version key={one.number} cloneId={cloneId} commitment={one} />
          ))}
        </ol>
      </details>
    </Panel>
  )
}

function Version({ cloneId, commitment }: { cloneId: string; commitment: Commitment }) {
  const zone = useZone()
  const check = useMutation({
    mutationFn: async () => {
      const revealed = await readRevealed(cloneId, commitment.number)
      return { revealed, verified: await verify(revealed, commitment.commitment) }
    },
  })
  return (
    <li
      data-testid="commitment"
      data-version={commitment.number}
      className="border-b border-line py-2 text-sm"
    >
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1">
        <p>
          <span className="font-medium">Version {commitment.number}</span>{' '}
          <span className="figure text-xs text-muted">{formatDateTime(commitment.published_ms, zone)}</span>
        </p>
        {commitment.revealed_ms === null ? (
          <span className="text-xs text-muted">private</span>
        ) : (
          <Button
            size="small"
            data-testid="verify"
            disabled={check.isPending || !canVerify()}
            title={canVerify() ? undefined : 'This browser computes hashes on https pages only.'}
            onClick={() => check.mutate()}
          >
            {check.isPending ? 'Checking…' : 'Show and verify'}
          </Button>
        )}
      </div>
      <p className="figure text-xs break-all text-muted">{commitment.commitment}</p>
      {check.error && <p className="text-warn">{check.error.message}</p>}
      {check.data && (
        <>
          <Checked verified={check.data.verified} />
          <Evidence
            title="Strategy"
            text={check.data.revealed.strategy}
            note={`salt ${check.data.revealed.salt}`}
          />
        </>
      )}
    </li>
  )
}

function Checked({ verified }: { verified: Verified }) {
  const ok = verified.textMatches && verified.commitmentMatches
  return (
    <div
      role="status"
      data-testid="verified"
      data-ok={ok}
      className={`my-2 border-l-2 pl-3 ${ok ? 'border-accent' : 'border-warn text-warn'}`}
    >
      <p className="font-medium">
        {ok ? 'This is the strategy that was committed to.' : 'This is not what was committed to.'}
      </p>
      <p className="text-xs text-muted">
        Computed by this browser: SHA-256 of the strategy{' '}
        <span className="figure break-all">{verified.sha256}</span>
        {verified.textMatches ? '' : ' (differs)'}, of salt and that hash{' '}
        <span className="figure break-all">{verified.commitment}</span>
        {verified.commitmentMatches ? '' : ' (differs)'}.
      </p>
    </div>
  )
}

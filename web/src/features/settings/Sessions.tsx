import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { request } from '@/api/client'
import { forgetPerson, sessionsQuery } from '@/api/queries'
import type { Session } from '@/api/types'
import { shortAddress } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Panel, TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Failure, Loading } from '@/ui/States'

/** Where this person is signed in, and how to end it. */
export function Sessions() {
  const client = useQueryClient()
  const sessions = useQuery(sessionsQuery)
  const revoke = useMutation({
    mutationFn: (session: Session) =>
      request('DELETE', `/v1/auth/sessions/${encodeURIComponent(session.session_id)}`),
    onSuccess: (_, session) => (session.current ? forgetPerson() : client.invalidateQueries(sessionsQuery)),
  })
  const revokeAll = useMutation({
    mutationFn: () => request('DELETE', '/v1/auth/sessions'),
    onSuccess: forgetPerson,
  })
  const failed = revoke.error ?? revokeAll.error
  return (
    <Panel
      title="Sessions"
      aside={
        <Button size="small" look="danger" disabled={revokeAll.isPending} onClick={() => revokeAll.mutate()}>
          Sign out everywhere
        </Button>
      }
    >
      {failed && <p className="mb-2 text-sm text-warn">{failed.message}</p>}
      {sessions.isPending && <Loading label="Loading sessions" />}
      {sessions.error && !sessions.data && (
        <Failure what="sessions" error={sessions.error} onRetry={() => void sessions.refetch()} />
      )}
      {sessions.data && (
        <TableScroll label="Sessions">
          <table className="ruled">
            <thead>
              <tr>
                {['Wallet', 'Browser', 'Last seen', 'Ends', ''].map((name) => (
                  <th key={name} scope="col">
                    {name || <span className="sr-only">Action</span>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {sessions.data.map((session) => (
                <SessionRow
                  key={session.session_id}
                  session={session}
                  busy={revoke.isPending}
                  onRevoke={() => revoke.mutate(session)}
                />
              ))}
            </tbody>
          </table>
        </TableScroll>
      )}
    </Panel>
  )
}

function SessionRow({ session, busy, onRevoke }: { session: Session; busy: boolean; onRevoke: () => void }) {
  const zone = useZone()
  return (
    <tr data-testid="session-row" data-current={session.current}>
      <td className="figure text-sm">{shortAddress(session.wallet_address)}</td>
      <td className="max-w-56 truncate text-sm" title={session.user_agent}>
        {session.current ? 'This browser' : session.user_agent || 'Unknown'}
      </td>
      <td className="figure text-sm">{formatDateTime(session.last_seen_ms, zone)}</td>
      <td className="figure text-sm">{formatDateTime(session.expires_at_ms, zone)}</td>
      <td className="text-right">
        <Button size="small" disabled={busy} onClick={onRevoke}>
          {session.current ? 'Sign out' : 'Revoke'}
        </Button>
      </td>
    </tr>
  )
}

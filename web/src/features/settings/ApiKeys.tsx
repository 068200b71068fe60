import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useRef, useState } from 'react'
import { newIdempotencyKey, request } from '@/api/client'
import { apiKeysQuery } from '@/api/queries'
import type { ApiKeyCreated } from '@/api/types'
import { formatDate } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Panel, TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Segmented } from '@/ui/Segmented'
import { Empty, Failure, Loading } from '@/ui/States'

const NAME_LENGTH_MAX = 64

/** Keys for programs: scoped, revocable, shown once. */
export function ApiKeys() {
  const [created, setCreated] = useState<ApiKeyCreated>()
  return (
    <Panel title="API keys">
      <p className="mb-3 text-sm text-muted">
        For programs that trade or read on your behalf. A key is shown once, when it is made; the server keeps
        only its hash.
      </p>
      {created && <ShownOnce created={created} onDone={() => setCreated(undefined)} />}
      <CreateKey onCreated={setCreated} />
      <KeyList />
    </Panel>
  )
}

function CreateKey({ onCreated }: { onCreated: (created: ApiKeyCreated) => void }) {
  const client = useQueryClient()
  const [name, setName] = useState('')
  const [scope, setScope] = useState<'read' | 'trade'>('read')
  const key = useRef(newIdempotencyKey())
  const renew = () => {
    key.current = newIdempotencyKey()
  }
  const create = useMutation({
    mutationFn: () =>
      request<ApiKeyCreated>('POST', '/v1/api-keys', {
        body: { name: name.trim(), scopes: scope === 'trade' ? ['read', 'trade'] : ['read'] },
        idempotencyKey: key.current,
      }),
    onSuccess: async (made) => {
      renew()
      setName('')
      onCreated(made)
      await client.invalidateQueries(apiKeysQuery)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (name.trim()) create.mutate()
  }
  return (
    <form onSubmit={submit} className="mb-3 flex flex-wrap items-center gap-2">
      <input
        aria-label="Name of the new key"
        placeholder="Name, such as trading-bot"
        maxLength={NAME_LENGTH_MAX}
        value={name}
        data-testid="api-key-name"
        onChange={(event) => {
          setName(event.target.value)
          renew()
        }}
        className="h-9 min-w-0 flex-1 basis-full border sm:basis-0 border-input bg-transparent px-3 placeholder:text-input"
      />
      <Segmented
        label="Scope"
        value={scope}
        onChange={(next) => {
          setScope(next)
          renew()
        }}
        options={[
          { value: 'read', label: 'Read' },
          { value: 'trade', label: 'Read and trade' },
        ]}
      />
      <Button type="submit" disabled={!name.trim() || create.isPending} data-testid="api-key-create">
        Create key
      </Button>
      {create.error && <p className="w-full text-sm text-warn">{create.error.message}</p>}
    </form>
  )
}

function ShownOnce({ created, onDone }: { created: ApiKeyCreated; onDone: () => void }) {
  const [copied, setCopied] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(created.key)
    setCopied(true)
  }
  return (
    <div className="mb-3 space-y-2 border border-accent p-3">
      <p className="font-medium">Copy “{created.name}” now: it is never shown again.</p>
      <code
        className="figure block border border-line bg-bg p-2 text-sm break-all"
        data-testid="api-key-value"
      >
        {created.key}
      </code>
      <div className="flex gap-2">
        <Button size="small" look="accent" onClick={() => void copy().catch(() => setCopied(false))}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <Button size="small" onClick={onDone}>
          I have saved it
        </Button>
      </div>
    </div>
  )
}

function KeyList() {
  const client = useQueryClient()
  const zone = useZone()
  const keys = useQuery(apiKeysQuery)
  const revoke = useMutation({
    mutationFn: (id: string) => request('DELETE', `/v1/api-keys/${encodeURIComponent(id)}`),
    onSuccess: () => client.invalidateQueries(apiKeysQuery),
  })
  if (keys.isPending) return <Loading label="Loading keys" />
  if (!keys.data) return <Failure what="API keys" error={keys.error} onRetry={() => void keys.refetch()} />
  if (keys.data.length === 0) return <Empty title="No API keys." />
  return (
    <TableScroll label="API keys">
      {revoke.error && <p className="text-sm text-warn">{revoke.error.message}</p>}
      <table className="ruled">
        <thead>
          <tr>
            {['Name', 'Key', 'Scopes', 'Created', ''].map((name) => (
              <th key={name} scope="col">
                {name || <span className="sr-only">Action</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {keys.data.map((key) => (
            <tr key={key.api_key_id} data-testid="api-key-row">
              <td className="font-medium">{key.name}</td>
              <td className="figure text-sm">{key.prefix}…</td>
              <td className="text-sm">{key.scopes.join(', ')}</td>
              <td className="figure text-sm">{formatDate(key.created_at_ms, zone)}</td>
              <td className="text-right">
                <Button
                  size="small"
                  disabled={revoke.isPending}
                  onClick={() => revoke.mutate(key.api_key_id)}
                >
                  Revoke
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  )
}

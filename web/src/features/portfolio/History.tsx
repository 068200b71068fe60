import { useInfiniteQuery } from '@tanstack/react-query'
import { Tabs } from 'radix-ui'
import { useState } from 'react'
import { fetchHistory, type HistoryItem, type HistoryKind, historyKey } from '@/api/queries'
import { formatWire, MISSING } from '@/lib/format'
import { formatDateTime } from '@/lib/time'
import { Button } from '@/ui/Button'
import { Panel, TableScroll } from '@/ui/Panel'
import { useZone } from '@/ui/preferences'
import { Empty, Failure, Loading } from '@/ui/States'
import { COLUMNS, type Column } from './columns'
import { EXPORT_ROWS_MAX, exportCsv } from './exportCsv'

const KINDS = ['fills', 'orders', 'ledger'] as const

/** Everything that ever happened to the account, newest first. */
export function History({ accountId }: { accountId: string }) {
  const [kind, setKind] = useState<HistoryKind>('fills')
  return (
    <Panel title="History" aside={<Export kind={kind} accountId={accountId} />}>
      <Tabs.Root value={kind} onValueChange={(next) => setKind(next as HistoryKind)}>
        <Tabs.List aria-label="History" className="mb-2 flex gap-4 border-b border-line">
          {KINDS.map((one) => (
            <Tabs.Trigger
              key={one}
              value={one}
              data-testid={`history-${one}`}
              className="h-9 border-b-2 border-transparent px-1 font-medium text-muted first-letter:uppercase hover:text-text data-[state=active]:border-accent data-[state=active]:text-text"
            >
              {one}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {KINDS.map((one) => (
          <Tabs.Content key={one} value={one}>
            <HistoryTable kind={one} accountId={accountId} />
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </Panel>
  )
}

function Export({ kind, accountId }: { kind: HistoryKind; accountId: string }) {
  const [state, setState] = useState<{ busy: boolean; note?: string }>({ busy: false })
  const run = async () => {
    setState({ busy: true })
    try {
      const { cut } = await exportCsv(kind, accountId)
      setState(
        cut
          ? { busy: false, note: `The newest ${EXPORT_ROWS_MAX.toLocaleString('en-US')} rows.` }
          : { busy: false },
      )
    } catch (error) {
      setState({ busy: false, note: error instanceof Error ? error.message : 'Export failed.' })
    }
  }
  return (
    <span className="flex items-center gap-3">
      {state.note && <span className="text-xs text-warn">{state.note}</span>}
      <Button size="small" disabled={state.busy} onClick={() => void run()} data-testid="export-csv">
        {state.busy ? 'Exporting…' : 'Export CSV'}
      </Button>
    </span>
  )
}

function HistoryTable<K extends HistoryKind>({ kind, accountId }: { kind: K; accountId: string }) {
  const history = useInfiniteQuery({
    queryKey: [...historyKey(kind, accountId), 'pages'],
    queryFn: ({ pageParam, signal }) => fetchHistory(kind, accountId, { cursor: pageParam, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  })
  if (history.isPending) return <Loading rows={5} label={`Loading ${kind}`} />
  if (!history.data)
    return <Failure what={kind} error={history.error} onRetry={() => void history.refetch()} />
  const items = history.data.pages.flatMap((page) => page.items)
  if (items.length === 0) return <Empty title={`No ${kind} yet.`} />
  const columns = COLUMNS[kind].filter((one) => !one.exportOnly) as Column<HistoryItem[K]>[]
  return (
    <>
      <TableScroll label={kind}>
        <table className="ruled" data-testid={`${kind}-history`}>
          <thead>
            <tr>
              {columns.map((column) => (
                <th
                  key={column.name}
                  scope="col"
                  className="first-letter:uppercase"
                  {...(column.figure ? { 'data-figure': true } : {})}
                >
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <HistoryRow key={keyOf(item)} item={item} columns={columns} />
            ))}
          </tbody>
        </table>
      </TableScroll>
      {history.hasNextPage && (
        <Button
          size="small"
          className="mt-3"
          disabled={history.isFetchingNextPage}
          onClick={() => void history.fetchNextPage()}
        >
          {history.isFetchingNextPage ? 'Loading…' : 'Load more'}
        </Button>
      )}
    </>
  )
}

function keyOf(item: HistoryItem[HistoryKind]): string {
  if ('fill_id' in item) return item.fill_id
  if ('leg' in item) return `${item.version} ${item.leg}`
  return 'order_id' in item ? item.order_id : `${item.at_ms}`
}

function HistoryRow<T>({ item, columns }: { item: T; columns: Column<T>[] }) {
  const zone = useZone()
  return (
    <tr>
      {columns.map((column) => {
        const value = column.value(item)
        if (column.time) {
          return (
            <td key={column.name} className="figure text-sm text-muted">
              {formatDateTime(Number(value), zone)}
            </td>
          )
        }
        if (column.figure) {
          return (
            <td key={column.name} data-figure>
              {value === null ? MISSING : formatWire(String(value), 0)}
            </td>
          )
        }
        return <td key={column.name}>{value ?? MISSING}</td>
      })}
    </tr>
  )
}

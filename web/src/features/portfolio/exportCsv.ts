/** The whole history as a file, page by page, up to a limit. */
import { fetchHistory, type HistoryItem, type HistoryKind } from '@/api/queries'
import { saveFile, toCsv } from '@/lib/csv'
import { COLUMNS } from './columns'

const PAGE_LIMIT = 200
export const EXPORT_ROWS_MAX = 20_000

/** Save every row. Returns whether the limit cut it short. */
export async function exportCsv<K extends HistoryKind>(
  kind: K,
  accountId: string,
): Promise<{ cut: boolean }> {
  const items: HistoryItem[K][] = []
  let cursor: string | null = null
  do {
    const page: { items: HistoryItem[K][]; next_cursor: string | null } = await fetchHistory(
      kind,
      accountId,
      {
        cursor,
        limit: PAGE_LIMIT,
      },
    )
    items.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null && items.length < EXPORT_ROWS_MAX)

  const columns = COLUMNS[kind]
  const rows = items.map((item) =>
    columns.map((column) => {
      const value = column.value(item)
      return column.time ? new Date(Number(value)).toISOString() : value
    }),
  )
  saveFile(
    `pump-party-${kind}.csv`,
    toCsv(
      columns.map((one) => one.name),
      rows,
    ),
  )
  return { cut: cursor !== null }
}

/** One idempotency key per intent: the same order sent again is the same order. */
import type { OrderBody } from '@/api/types'

export interface Intent {
  key: string
  accountId: string
  body: OrderBody
}

/** Keep the key while the person wants the same thing of the same account; a changed order is a new intent. */
export function intentFor(
  unresolved: Intent | undefined,
  accountId: string,
  body: OrderBody,
  newKey: () => string,
): Intent {
  const same = unresolved?.accountId === accountId && fingerprint(unresolved.body) === fingerprint(body)
  return unresolved && same ? unresolved : { key: newKey(), accountId, body }
}

/** Every field counts, in whatever order they were set. */
function fingerprint(body: OrderBody): string {
  return JSON.stringify(Object.entries(body).sort(([a], [b]) => a.localeCompare(b)))
}

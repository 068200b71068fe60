/** Times are integer milliseconds of the server; the page only formats them in the chosen zone. */

export const SECOND_MS = 1_000
export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

const formats = new Map<string, Intl.DateTimeFormat>()

function format(kind: 'time' | 'dateTime' | 'date' | 'minute', zone: string): Intl.DateTimeFormat {
  const key = `${kind} ${zone}`
  let found = formats.get(key)
  if (!found) {
    const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
    const date = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
    const parts = {
      minute: clock,
      time: { ...clock, second: '2-digit' } as const,
      dateTime: { ...date, ...clock, second: '2-digit' } as const,
      date,
    }[kind]
    found = new Intl.DateTimeFormat('sv-SE', { ...parts, timeZone: zone })
    formats.set(key, found)
  }
  return found
}

/** "14:03:27" */
export const formatTime = (ms: number, zone: string) => format('time', zone).format(ms)
/** "14:03" */
export const formatMinute = (ms: number, zone: string) => format('minute', zone).format(ms)
/** "2026-03-01 14:03:27" */
export const formatDateTime = (ms: number, zone: string) => format('dateTime', zone).format(ms)
/** "2026-03-01" */
export const formatDate = (ms: number, zone: string) => format('date', zone).format(ms)

/** An age that counts up: "0.4 s", "12 s", "3 min", "2 h". */
export function formatAge(ms: number): string {
  const age = Math.max(0, ms)
  if (age < 10 * SECOND_MS) return `${(Math.floor(age / 100) / 10).toFixed(1)} s`
  if (age < MINUTE_MS) return `${Math.floor(age / SECOND_MS)} s`
  if (age < HOUR_MS) return `${Math.floor(age / MINUTE_MS)} min`
  if (age < 2 * DAY_MS) return `${Math.floor(age / HOUR_MS)} h`
  return `${Math.floor(age / DAY_MS)} d`
}

/** The zone the browser reports; UTC where it reports none. */
export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

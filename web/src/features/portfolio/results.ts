/** The results of an account as people read them. Pure: the server measured, this only words and formats. */
import type { Candle, Results } from '@/api/types'
import { formatPpm, formatSignedUsd, formatUsd } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { DAY_MS, HOUR_MS } from '@/lib/time'
import type { CurvePoint } from './curve'

/** Shown for what cannot be said yet: never a zero. */
export const NOT_YET = 'not yet'

export interface Metric {
  label: string
  value: string
  /** The sample it comes from. */
  sample: string
  meaning: string
}

/** Every metric with its sample size. */
export function metricsOf(results: Results): Metric[] {
  const days = counted(results.days, 'day')
  const marks = counted(results.marks, 'mark')
  const trades = counted(results.closed_trades ?? 0, 'closed trade')
  const fills = counted(results.fills, 'fill')
  const metric = (label: string, value: string, sample: string, meaning: string) => ({
    label,
    value,
    sample,
    meaning,
  })
  return [
    metric('Return', ppm(results.return_ppm), marks, 'Net of fees and funding, at the newest mark'),
    metric(
      'Return if closed now',
      ppm(results.standing_return_ppm),
      marks,
      'After closing every position; ranks',
    ),
    metric(
      'Largest drawdown',
      drawdown(results.max_drawdown_ppm),
      marks,
      'Deepest fall from an earlier peak',
    ),
    metric('Sharpe', ratio(results.sharpe), days, 'Return per risk, of a year of daily returns'),
    metric('Sortino', ratio(results.sortino), days, 'As Sharpe, but only losses count as risk'),
    metric('Calmar', ratio(results.calmar), days, 'Yearly growth over largest drawdown'),
    metric('Return over drawdown', ratio(results.romad), marks, 'Not of a year: of this cycle'),
    metric('Profit factor', ratio(results.profit_factor), trades, 'What winners made over what losers lost'),
    metric('Win rate', share(results.win_rate), trades, 'Closed trades that made money'),
    metric('Turnover', times(results.turnover_ppm), fills, 'All that was traded over the mean equity'),
    metric('Exposure', drawdown(results.exposure_ppm), marks, 'Mean share of the equity in the market'),
    metric('Timing', ppm(results.timing_alpha_ppm), days, 'Beyond holding the same average exposure'),
    metric('Realised', formatSignedUsd(parseMicros(results.realised_pnl)), trades, 'USD, before fees'),
    metric(
      'Funding',
      formatSignedUsd(parseMicros(results.funding)),
      fills,
      'USD, paid or received by perpetuals',
    ),
    metric('Fees', formatUsd(parseMicros(results.fees)), fills, 'USD'),
  ]
}

/** "1 day", "12 days". */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}

const ppm = (value: number | null) => (value === null ? NOT_YET : formatPpm(value))
const drawdown = (value: number | null) => (value === null ? NOT_YET : formatPpm(value).replace('+', ''))

/** A ratio with two decimals, cut and not rounded up: 1.999 is not yet 2. */
function ratio(text: string | null): string {
  if (text === null) return NOT_YET
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.')
  return `${text.startsWith('-') ? '−' : ''}${whole}.${fraction.slice(0, 2).padEnd(2, '0')}`
}

const share = (text: string | null) =>
  text === null ? NOT_YET : formatPpm(Number(parseMicros(text)), 1).replace('+', '')

const times = (value: number | null) => (value === null ? NOT_YET : `${(value / 1_000_000).toFixed(2)}×`)

/** Whether this may be luck, in one sentence. */
export function chanceSentence(results: Pick<Results, 'sentence'>): string {
  if (results.sentence === null) return 'Not yet: it is too early to say whether this is better than chance.'
  return `${results.sentence.charAt(0).toUpperCase()}${results.sentence.slice(1)}.`
}

/** How many of those who tossed coins did worse; undefined before there are prices to toss for. */
export function tossersText(baselines: Results['baselines']): string | undefined {
  return baselines
    ? `Better than ${baselines.beaten} of ${baselines.seeds} coin tossers, whose median made ${formatPpm(baselines.random.return_ppm)}.`
    : undefined
}

/** How far below the highest point so far, in percent, never above zero. */
export function underwater(points: readonly CurvePoint[], start: string): CurvePoint[] {
  let peak = Number(start)
  return points.map(({ seconds, value }) => {
    peak = Math.max(peak, value)
    return { seconds, value: peak > 0 ? (value / peak - 1) * 100 : 0 }
  })
}

/** What holding a market would have been worth at the end of each candle: it ends at `held`, which has its costs in it. */
export function heldCurve(
  candles: readonly Pick<Candle, 'open_ms' | 'open' | 'close'>[],
  held: { start: string; returnPpm: number },
  span: { fromMs: number; toMs: number; intervalMs: number },
): CurvePoint[] {
  const inside = [...candles]
    .filter((one) => one.open_ms + span.intervalMs > span.fromMs && one.open_ms <= span.toMs)
    .sort((a, b) => a.open_ms - b.open_ms)
  const first = inside[0]
  const last = Number(inside.at(-1)?.close)
  if (!first || !(last > 0)) return []
  const end = Number(held.start) * (1 + held.returnPpm / 1_000_000)
  const worth = (price: string) => (end * Number(price)) / last
  const points = [{ seconds: secondOf(Math.max(first.open_ms, span.fromMs)), value: worth(first.open) }]
  for (const one of inside) {
    const seconds = secondOf(Math.min(one.open_ms + span.intervalMs, span.toMs))
    if (seconds > (points.at(-1)?.seconds ?? 0)) points.push({ seconds, value: worth(one.close) })
  }
  return points
}

const secondOf = (ms: number) => Math.floor(ms / 1_000)

const CANDLES = 450

/** The finest candles that cover a span in one page. */
export function intervalFor(spanMs: number): '1m' | '5m' | '1h' | '1d' {
  if (spanMs <= (CANDLES * HOUR_MS) / 60) return '1m'
  if (spanMs <= (CANDLES * HOUR_MS) / 12) return '5m'
  return spanMs <= CANDLES * HOUR_MS ? '1h' : '1d'
}

/** "since 2 days", for the head of the panel. */
export function sinceText(results: Pick<Results, 'started_ms' | 'as_of_ms' | 'cycle'>): string {
  if (results.as_of_ms === null) return `cycle ${results.cycle}`
  const days = Math.floor((results.as_of_ms - results.started_ms) / DAY_MS)
  return `cycle ${results.cycle}, ${days === 0 ? 'less than a day' : counted(days, 'day')}`
}

/** The results of an account as people read them. Pure: the server measured, this only words and formats. */
import type { Results } from '@/api/types'
import { formatPpm, formatSignedUsd, formatUsd } from '@/lib/format'
import { parseMicros } from '@/lib/money'
import { DAY_MS } from '@/lib/time'

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
  const trades =
    results.closed_trades === null
      ? 'closed trades not counted'
      : counted(results.closed_trades, 'closed trade')
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
    metric(
      'Better than luck',
      share(results.deflated_sharpe),
      counted(results.attempts, 'attempt'),
      'How likely it is better than the best that chance gives in so many attempts of yours',
    ),
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

/** "since 2 days", for the head of the panel. */
export function sinceText(results: Pick<Results, 'started_ms' | 'as_of_ms' | 'cycle'>): string {
  if (results.as_of_ms === null) return `cycle ${results.cycle}`
  const days = Math.floor((results.as_of_ms - results.started_ms) / DAY_MS)
  return `cycle ${results.cycle}, ${days === 0 ? 'less than a day' : counted(days, 'day')}`
}

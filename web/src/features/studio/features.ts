/** The numbers of market memory that a clone can look at. Pure. */
import { INTERVALS } from '@/lib/candles'
import type { Feature, Unit } from './strategy'

export const INTERVAL_DEFAULT = '5m'
export const PERIOD_MIN = 2
export const PERIOD_MAX = 200

interface Known {
  label: string
  unit: Unit
  interval: boolean
  /** The usual period; undefined where there is none. */
  period?: number
  hourly?: true
}

const price = { unit: 'price', interval: true } as const
const ratio = { unit: 'ratio', interval: true } as const

export const FEATURES: Record<string, Known> = {
  close: { ...price, label: 'Close' },
  sma: { ...price, label: 'Simple average', period: 20 },
  ema: { ...price, label: 'Exponential average', period: 20 },
  highest: { ...price, label: 'Highest high', period: 20 },
  lowest: { ...price, label: 'Lowest low', period: 20 },
  bollinger_upper: { ...price, label: 'Bollinger upper', period: 20 },
  bollinger_lower: { ...price, label: 'Bollinger lower', period: 20 },
  atr: { ...price, label: 'Average true range', period: 14 },
  macd: { ...price, label: 'MACD' },
  macd_signal: { ...price, label: 'MACD signal' },
  return: { ...ratio, label: 'Return', period: 12 },
  volatility: { ...ratio, label: 'Volatility per bar', period: 20 },
  funding: { unit: 'ratio', interval: false, label: 'Funding rate' },
  open_interest_change: { ...ratio, label: 'Open interest change', period: 24, hourly: true },
  book_imbalance: { unit: 'ratio', interval: false, label: 'Book imbalance' },
  rsi: { unit: 'index', interval: true, label: 'RSI', period: 14 },
  adx: { unit: 'index', interval: true, label: 'ADX', period: 14 },
  open_interest: { unit: 'amount', interval: false, label: 'Open interest' },
}

const HOURLY = ['1h', '1d']

/** The intervals a feature can be read at; none where it takes none. */
export function intervalsOf(name: string): readonly string[] {
  const known = FEATURES[name]
  if (!known?.interval) return []
  return known.hourly ? HOURLY : INTERVALS
}

export const unitOfFeature = (name: string): Unit => FEATURES[name]?.unit ?? 'price'

/** The feature of another name, keeping what still fits. */
export function renamed(feature: Feature, name: string): Feature {
  const intervals = intervalsOf(name)
  const kept = feature.interval !== null && intervals.includes(feature.interval)
  const usual = FEATURES[name]?.period
  const first = intervals.includes(INTERVAL_DEFAULT) ? INTERVAL_DEFAULT : (intervals[0] ?? null)
  return {
    name,
    interval: kept ? feature.interval : first,
    period: usual === undefined ? null : (feature.period ?? usual),
  }
}

export const newFeature = (name = 'ema'): Feature => renamed({ name, interval: null, period: null }, name)

/** As the server writes it: "ema(1h,20)", "macd(5m)", "funding". */
export function featureKey({ name, interval, period }: Feature): string {
  const parts = [interval, period].filter((part) => part !== null)
  return parts.length > 0 ? `${name}(${parts.join(',')})` : name
}

export const featureLabel = (feature: Feature): string => {
  const parts = [feature.interval, feature.period].filter((part) => part !== null)
  const label = FEATURES[feature.name]?.label ?? feature.name
  return parts.length > 0 ? `${label} (${parts.join(', ')})` : label
}

export const UNIT_HINT: Record<Unit, string> = {
  price: 'a price in USD',
  ratio: 'a ratio: 0.01 is one per cent',
  index: '0 to 100',
  amount: 'units of the base asset',
}

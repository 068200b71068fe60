import { FEATURES, intervalsOf, PERIOD_MAX, PERIOD_MIN, renamed } from './features'
import { Select, WholeNumber } from './fields'
import type { Feature } from './strategy'

const NAMES = Object.entries(FEATURES).map(([name, { label }]) => [name, label] as const)

interface Props {
  feature: Feature
  onChange: (feature: Feature) => void
  label: string
}

/** One number of market memory: which, over which bars, how many of them. */
export function FeaturePicker({ feature, onChange, label }: Props) {
  const intervals = intervalsOf(feature.name)
  return (
    <span className="grid min-w-0 grid-cols-2 gap-1">
      <span className="col-span-2">
        <Select
          label={`${label}: feature`}
          value={feature.name}
          options={NAMES}
          onChange={(name) => onChange(renamed(feature, name))}
          testId="feature-name"
        />
      </span>
      {intervals.length > 0 && (
        <Select
          label={`${label}: interval`}
          value={feature.interval ?? ''}
          options={intervals.map((one) => [one, one] as const)}
          onChange={(interval) => onChange({ ...feature, interval })}
        />
      )}
      {feature.period !== null && (
        <WholeNumber
          label={`${label}: period`}
          value={feature.period}
          min={PERIOD_MIN}
          max={PERIOD_MAX}
          onChange={(period) => onChange({ ...feature, period })}
          testId="feature-period"
        />
      )}
    </span>
  )
}

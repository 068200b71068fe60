/** Form fields of the inspector. Each shows what is typed and hands over only what can be read. */
import { type ReactNode, useEffect, useId, useState } from 'react'
import { Suggestions } from '@/ui/Suggestions'
import { percentText, readPercent } from './percent'

export const INPUT =
  'h-8 w-full min-w-0 border border-input bg-bg px-2 text-sm disabled:border-line disabled:text-muted'

export function Field({ label, hint, children }: { label: string; hint?: string; children: ReactNode }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
    <label className="block min-w-0">
      <span className="mb-0.5 block text-xs text-muted">{label}</span>
      {children}
      {hint && <span className="mt-0.5 block text-xs text-muted">{hint}</span>}
    </label>
  )
}

interface SelectProps {
  label: string
  value: string
  options: readonly (readonly [value: string, label: string])[]
  onChange: (value: string) => void
  testId?: string
}

export function Select({ label, value, options, onChange, testId }: SelectProps) {
  const known = options.some(([one]) => one === value)
  return (
    <select
      aria-label={label}
      className={INPUT}
      value={value}
      data-testid={testId}
      onChange={(event) => onChange(event.target.value)}
    >
      {!known && <option value={value}>{value}</option>}
      {options.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  )
}

interface TypedProps<T> {
  label: string
  value: T
  /** Undefined for text that cannot be read. */
  read: (typed: string) => T | undefined
  write: (value: T) => string
  onChange: (value: T) => void
  wrong: string
  suffix?: string
  testId?: string | undefined
  inputMode?: 'numeric' | 'decimal' | 'text'
  /** What is suggested; anything else that can be read may be typed as well. */
  suggestions?: readonly string[]
}

/** What is typed stays as typed while it means the same; what cannot be read is marked and not taken over. */
export function Typed<T>(props: TypedProps<T>) {
  const {
    label,
    value,
    read,
    write,
    onChange,
    wrong,
    suffix,
    testId,
    inputMode = 'decimal',
    suggestions,
  } = props
  const [typed, setTyped] = useState(() => write(value))
  const id = useId()
  const bad = read(typed) === undefined
  const shown = write(value)
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a value from outside replaces what is typed
  useEffect(() => {
    const now = read(typed)
    if (now === undefined || write(now) !== shown) setTyped(shown)
  }, [shown])
  return (
    <span className="block min-w-0">
      <span className="relative block">
        <input
          aria-label={label}
          aria-invalid={bad}
          aria-describedby={bad ? id : undefined}
          inputMode={inputMode}
          className={`${INPUT} figure ${suffix ? 'pr-7' : ''} ${bad ? 'border-warn!' : ''}`}
          list={suggestions && `${id}-suggestions`}
          value={typed}
          data-testid={testId}
          onChange={(event) => {
            setTyped(event.target.value)
            const next = read(event.target.value)
            if (next !== undefined) onChange(next)
          }}
        />
        {suggestions && <Suggestions id={`${id}-suggestions`} values={suggestions} />}
        {suffix && <span className="absolute top-1.5 right-2 text-sm text-muted">{suffix}</span>}
      </span>
      {bad && (
        <span id={id} className="mt-0.5 block text-xs text-warn">
          {wrong}
        </span>
      )}
    </span>
  )
}

interface NumberProps {
  label: string
  value: number
  min: number
  max: number
  onChange: (value: number) => void
  testId?: string
}

export function WholeNumber({ label, value, min, max, onChange, testId }: NumberProps) {
  return (
    <Typed
      label={label}
      value={value}
      read={(typed) => {
        const number = /^\d{1,10}$/.test(typed.trim()) ? Number(typed) : Number.NaN
        return number >= min && number <= max ? number : undefined
      }}
      write={String}
      onChange={onChange}
      wrong={`A whole number from ${min} to ${max}.`}
      testId={testId}
      inputMode="numeric"
    />
  )
}

interface PercentProps extends NumberProps {
  /** Parts per million; the bounds are, too. */
  value: number
}

export function Percent({ label, value, min, max, onChange, testId }: PercentProps) {
  return (
    <Typed
      label={label}
      value={value}
      read={(typed) => {
        const ppm = readPercent(typed)
        return ppm !== undefined && ppm >= min && ppm <= max ? ppm : undefined
      }}
      write={percentText}
      onChange={onChange}
      wrong={`From ${percentText(min)} to ${percentText(max)} per cent.`}
      suffix="%"
      testId={testId}
    />
  )
}

/** A percentage that may be left out. */
export function MaybePercent(
  props: Omit<PercentProps, 'value' | 'onChange'> & {
    value: number | null
    onChange: (value: number | null) => void
  },
) {
  const { label, value, min, max, onChange, testId } = props
  return (
    <Typed<number | null>
      label={label}
      value={value}
      read={(typed) => {
        if (typed.trim() === '') return null
        const ppm = readPercent(typed)
        return ppm !== undefined && ppm >= min && ppm <= max ? ppm : undefined
      }}
      write={(ppm) => (ppm === null ? '' : percentText(ppm))}
      onChange={onChange}
      wrong={`From ${percentText(min)} to ${percentText(max)} per cent, or nothing.`}
      suffix="%"
      testId={testId}
    />
  )
}

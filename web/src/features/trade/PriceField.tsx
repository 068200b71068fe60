import type { ReactNode } from 'react'

interface Props {
  label: string
  testId: string
  value: string
  onChange: (text: string) => void
  hint?: ReactNode
  placeholder?: string
}

const PRICE_LENGTH_MAX = 24

/** A price as typed, with what it means below it. */
export function PriceField({ label, testId, value, onChange, hint, placeholder = '0.00' }: Props) {
  return (
    <label className="block min-w-0 flex-1 text-sm text-muted">
      <span className="mb-1 block">{label}</span>
      <input
        data-testid={testId}
        className="figure h-9 w-full min-w-0 border border-input bg-transparent px-2 text-text placeholder:text-input"
        inputMode="decimal"
        autoComplete="off"
        placeholder={placeholder}
        maxLength={PRICE_LENGTH_MAX}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint && <span className="mt-1 block text-xs">{hint}</span>}
    </label>
  )
}

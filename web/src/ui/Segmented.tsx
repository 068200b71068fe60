import { ToggleGroup } from 'radix-ui'

interface Option<T extends string> {
  value: T
  label: string
  className?: string
  testId?: string
  keyHint?: string
}

interface Props<T extends string> {
  label: string
  value: T
  options: readonly Option<T>[]
  onChange: (value: T) => void
  testId?: string
  size?: 'small' | 'normal'
  className?: string
}

/** One choice out of a few, all visible. Arrow keys move between them. */
export function Segmented<T extends string>(props: Props<T>) {
  const height = props.size === 'small' ? 'h-7 text-sm px-2' : 'h-9 px-3'
  return (
    <ToggleGroup.Root
      type="single"
      value={props.value}
      aria-label={props.label}
      data-testid={props.testId}
      onValueChange={(value) => value && props.onChange(value as T)}
      className={`flex border border-input ${props.className ?? ''}`}
    >
      {props.options.map((option) => (
        <ToggleGroup.Item
          key={option.value}
          value={option.value}
          data-testid={option.testId}
          aria-keyshortcuts={option.keyHint}
          className={`flex-1 border-l border-line font-medium whitespace-nowrap text-muted first:border-l-0 hover:text-text data-[state=on]:bg-accent data-[state=on]:text-on-accent ${height} ${option.className ?? ''}`}
        >
          {option.label}
        </ToggleGroup.Item>
      ))}
    </ToggleGroup.Root>
  )
}

import type { ButtonHTMLAttributes } from 'react'

type Look = 'accent' | 'outline' | 'quiet' | 'danger'

const LOOKS: Record<Look, string> = {
  accent: 'bg-accent text-on-accent border-accent hover:opacity-90',
  outline: 'border-input hover:bg-raised',
  quiet: 'border-transparent text-muted hover:text-text hover:bg-raised',
  danger: 'border-loss text-loss hover:bg-raised',
}

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look
  size?: 'small' | 'normal' | 'large'
}

const SIZES = { small: 'h-7 px-2 text-sm', normal: 'h-9 px-3', large: 'h-11 px-5 text-lg' }

export function Button({
  look = 'outline',
  size = 'normal',
  className = '',
  type = 'button',
  ...rest
}: Props) {
  return (
    <button
      type={type}
      className={`inline-flex shrink-0 items-center justify-center gap-2 border font-sans font-medium whitespace-nowrap disabled:cursor-not-allowed disabled:border-line disabled:bg-raised disabled:text-muted ${SIZES[size]} ${LOOKS[look]} ${className}`}
      {...rest}
    />
  )
}

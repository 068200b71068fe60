import { Dialog as Radix } from 'radix-ui'
import type { ReactNode } from 'react'
import { focusMainIfLost } from './focus'

interface Props {
  open: boolean
  onClose: () => void
  title: string
  description?: string
  /** For what stands side by side. */
  wide?: boolean
  children: ReactNode
}

/**
 * A modal sheet: focus is kept inside, Escape closes it, the page behind is dimmed. The focus starts on the child that
 * has `data-first-focus`, or else on the close button.
 */
export function Dialog({ open, onClose, title, description, wide = false, children }: Props) {
  return (
    <Radix.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.6)]" />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onOpenAutoFocus={focusFirst}
          onCloseAutoFocus={() => requestAnimationFrame(focusMainIfLost)}
          className={`fixed top-1/2 left-1/2 z-50 max-h-[88dvh] ${wide ? 'w-[min(760px,calc(100vw-24px))]' : 'w-[min(440px,calc(100vw-24px))]'} -translate-x-1/2 -translate-y-1/2 overflow-y-auto border border-input bg-surface p-5`}
        >
          <div className="mb-3 flex items-start justify-between gap-4">
            <Radix.Title className="text-xl font-semibold">{title}</Radix.Title>
            <Radix.Close className="-mt-1 -mr-2 size-8 text-xl text-muted hover:text-text" aria-label="Close">
              ×
            </Radix.Close>
          </div>
          {description && <Radix.Description className="mb-4 text-muted">{description}</Radix.Description>}
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

function focusFirst(event: Event) {
  const sheet = event.currentTarget
  const first = sheet instanceof Element ? sheet.querySelector<HTMLElement>('[data-first-focus]') : null
  if (!first) return
  event.preventDefault()
  first.focus()
}

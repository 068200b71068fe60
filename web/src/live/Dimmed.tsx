import type { ReactNode } from 'react'
import { useCutOff } from './status'

/** Data that comes from the server: dimmed while it is only the last that was heard. */
export function Dimmed({ className = '', children }: { className?: string; children: ReactNode }) {
  const cutOff = useCutOff()
  return (
    <div data-dimmed={cutOff} className={`${className} ${cutOff ? 'opacity-50' : ''}`}>
      {children}
    </div>
  )
}

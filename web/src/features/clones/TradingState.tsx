import type { PublicDeployment } from '@/api/clones'

const WORDS = { running: 'Trading', paused: 'Paused', stopped: 'Stopped' } as const
const DOTS = { running: 'bg-accent', paused: 'border border-warn', stopped: 'border border-input' } as const

/** Whether a clone trades, told by a word and by the shape of a dot. */
export function TradingState({ state }: { state: PublicDeployment['state'] }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 ${state === 'running' ? 'text-accent' : 'text-muted'}`}
    >
      <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[state]}`} />
      {WORDS[state]}
    </span>
  )
}

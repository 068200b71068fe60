import type { PublicDeployment } from '@/api/clones'
import { type Trading, tradingOf } from './trading'

const WORDS: Record<Trading, string> = {
  running: 'Trading',
  paused: 'Paused',
  stopped: 'Stopped',
  account_paused: 'Account paused',
  account_locked: 'Account locked',
  account_frozen: 'Account frozen',
  account_completed: 'Account completed',
}

const DOTS: Partial<Record<Trading, string>> = { running: 'bg-accent', stopped: 'border border-input' }

/** Whether a clone trades, told by a word and by the shape of a dot. */
export function TradingState({ deployment }: { deployment: PublicDeployment }) {
  const trading = tradingOf(deployment)
  return (
    <span
      className={`inline-flex items-center gap-1.5 ${trading === 'running' ? 'text-accent' : 'text-muted'}`}
    >
      <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[trading] ?? 'border border-warn'}`} />
      {WORDS[trading]}
    </span>
  )
}

/** Decisions in words: what became of a run, what a proposal wants, what the gates said. Pure. */

export const RUN_STATES: Record<string, string> = {
  claimed: 'deciding',
  contexted: 'deciding',
  answered: 'deciding',
  proposed: 'deciding',
  submitted: 'trading',
  executed: 'executed',
  held: 'held',
  rejected: 'rejected',
  late: 'too late',
  failed: 'failed',
}

const UNDER_WAY = new Set(['claimed', 'contexted', 'answered', 'proposed', 'submitted'])

/** Whether more will come of a run. */
export const isUnderWay = (state: string) => UNDER_WAY.has(state)

const CODES: Record<string, string> = {
  allowed: 'Allowed by the gates',
  hold: 'Nothing to do',
  already_there: 'The position is as wanted',
  nothing_held: 'Nothing held to close',
  below_minimum: 'Too little to trade',
  insufficient_cash: 'Not enough cash',
  slot_late: 'Too late for its slot',
  account_not_active: 'The account is not active',
  market_not_allowed: 'Not a market of the strategy',
  conflicting_proposals: 'Two proposals for one market',
  no_price: 'The market has no price',
  market_halted: 'The market is halted',
  price_stale: 'The price is too old',
  equity_unknown: 'The equity is not known',
  side_mismatch: 'No side, or the wrong one',
  short_not_allowed: 'This market cannot be sold short',
  size_out_of_range: 'Not a size',
  size_above_limit: 'Larger than the strategy allows',
  leverage_above_limit: 'More leverage than the strategy allows',
  exit_on_wrong_side: 'Stop or target on the wrong side',
  daily_limit: 'Too many actions today',
  refusal: 'The model refused',
  timeout: 'The model did not answer in time',
  invalid_output: 'The answer was not a decision',
  provider_down: 'The provider was down',
  budget_exhausted: 'The budget is spent',
  strategy_unreadable: 'Its strategy cannot be opened',
  conditions_unreadable: 'A condition on its position cannot be opened',
  evidence_unreadable: 'What it decides cannot be sealed or read',
  answer_missing: 'No recorded answer',
  model_calls_exhausted: 'As many models were asked as one backtest may',
  model_not_offered: 'The model is not offered here',
}

/** What a stable code says; one this page does not know is shown as it is. */
export const codeText = (code: string) => CODES[code] ?? code.replaceAll('_', ' ')

/** The headline of a decision: what it did where it did something, else how it ended. */
export function headline(state: string, done: readonly string[]): string {
  if (done.length > 0) return done.join(', ')
  if (state === 'failed') return 'Failed'
  if (state === 'late') return 'Too late'
  if (state === 'rejected') return 'Rejected'
  return 'Hold'
}

export interface Wanted {
  market: string
  action: string
  side: string | null
  /** A decimal string of equity. */
  share: string
  leverage: number
}

/** "Long 25% SOL/USDC", "Close BTC/USDC": action and size. */
export function wantedText({ market, action, side, share, leverage }: Wanted): string {
  const name = market.replace('-', '/')
  const size = `${shareText(share)}${leverage > 1 ? ` at ${leverage}×` : ''}`
  switch (action) {
    case 'open':
      return `${side === 'short' ? 'Short' : 'Long'} ${size} ${name}`
    case 'reduce':
      return `Reduce ${name} to ${size}`
    case 'close':
      return `Close ${name}`
    default:
      return `Hold ${name}`
  }
}

/** A decimal share as a percentage: "0.25" is "25%". No figure is rounded. */
export function shareText(share: string): string {
  const [whole = '0', fraction = ''] = share.replace('-', '').split('.')
  const digits = fraction.padEnd(2, '0')
  const percent = `${whole}${digits.slice(0, 2)}`.replace(/^0+(?=\d)/, '')
  const rest = digits.slice(2).replace(/0+$/, '')
  return `${share.startsWith('-') ? '−' : ''}${percent}${rest ? `.${rest}` : ''}%`
}

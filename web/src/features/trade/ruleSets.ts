/** Rule sets in plain words, and what they say about an order. Pure. */
import type { Market, RuleSet } from '@/api/types'
import type { TicketRules } from './ticket'

export interface Choice {
  name: string
  title: string
  text: string
  contestEligible: boolean
  isDefault: boolean
}

const WORDS: Record<string, { title: string; text: string }> = {
  'latest oracle': {
    title: 'At once',
    text: 'Orders fill immediately on the newest price. Easy to learn with; because that price could be seen before, results do not count for contests.',
  },
  'next_tick oracle': {
    title: 'Next price',
    text: 'Orders fill on the next price that nobody could have seen, about two seconds later. As contests do it.',
  },
  'next_tick book': {
    title: 'Order book',
    text: 'As next price, but filled level by level from the real order book where a fresh one is recorded: large orders cost more.',
  },
}

/** What a practice account can be opened under: of rule sets that fill alike, the default or the newest. */
export function choicesOf(ruleSets: readonly RuleSet[]): Choice[] {
  const kept = new Map<string, RuleSet>()
  for (const rules of ruleSets.filter((one) => one.kind === 'practice')) {
    const way = wayOf(rules)
    const known = kept.get(way)
    if (!known || rules.default || (!known.default && versionOf(rules) > versionOf(known)))
      kept.set(way, rules)
  }
  const choices = [...kept].map(([way, rules]) => ({
    name: rules.name,
    title: WORDS[way]?.title ?? rules.name,
    text: WORDS[way]?.text ?? '',
    contestEligible: rules.contest_eligible,
    isDefault: rules.default,
  }))
  return choices.sort((a, b) => Number(b.isDefault) - Number(a.isDefault))
}

const wayOf = (rules: RuleSet) => `${rules.fill_mode} ${rules.price_mode}`
const versionOf = (rules: RuleSet) => Number(/-v(\d+)$/.exec(rules.name)?.[1] ?? 0)

/** "Next price": how an account's orders fill. */
export function wayTitle(rules: RuleSet | undefined): string | undefined {
  return rules && (WORDS[wayOf(rules)]?.title ?? rules.name)
}

/** What the account's rules say about orders of a market; nothing is known before they are loaded. */
export function ticketRules(rules: RuleSet | undefined, market: Pick<Market, 'market'>): TicketRules {
  const perp = rules?.perps.find((one) => one.pricing.market === market.market)
  const highest = perp?.tiers[0]?.max_leverage
  const limit = rules?.risk?.max_leverage ?? undefined
  return {
    nextTick: rules?.fill_mode === 'next_tick',
    maxLeverage: highest === undefined ? undefined : Math.min(highest, limit ?? highest),
  }
}

/** What an account may lose before it is frozen, and what it may trade, in one line; undefined without limits. */
export function limitsText(rules: RuleSet | undefined): string | undefined {
  const risk = rules?.risk
  if (!risk) return undefined
  const share = (ppm: number) => `${ppm / 10_000}% of the start`
  const parts = [
    risk.daily_loss_ppm !== null && `a loss of more than ${share(risk.daily_loss_ppm)} in a day`,
    risk.total_loss_ppm !== null && `a loss of more than ${share(risk.total_loss_ppm)} in all`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? undefined : `Frozen by ${parts.join(', or ')}.`
}

/** Why the rules allow no order of a market; undefined where they do. */
export function marketReason(rules: RuleSet | undefined, market: Pick<Market, 'market'>): string | undefined {
  const allowed = rules?.risk?.allowed_markets
  if (!allowed || allowed.includes(market.market)) return undefined
  return `This account’s rules allow only ${allowed.join(', ')}.`
}

/** What an account whose orders wait must be told before sending; undefined where they fill at once. */
export function waitingText(rules: RuleSet | undefined, market: Pick<Market, 'market'>): string | undefined {
  if (rules?.fill_mode !== 'next_tick') return undefined
  const pricing =
    rules.markets.find((one) => one.market === market.market) ??
    rules.perps.find((one) => one.pricing.market === market.market)?.pricing
  if (!pricing) return undefined
  const seconds = (ms: number) => `${ms / 1_000} s`
  return `Fills on the next price: the first one published more than ${seconds(pricing.latency_ms)} after the order. If none comes within ${seconds(pricing.max_wait_ms)}, nothing happens.`
}

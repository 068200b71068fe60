/** The decision feed: one list from pages, and cards from either form of a run. Pure. */

import { isOwnerRun, type OwnerDecision, type Run } from '@/api/clones'
import { codeText, headline, wantedText } from '@/lib/decisions'

/** Newest first; a run that a page shift shows twice counts once. */
export function runsOf(pages: readonly { items: readonly Run[] }[]): Run[] {
  const runs = new Map<string, Run>()
  for (const page of pages) {
    for (const run of page.items) if (!runs.has(run.run_id)) runs.set(run.run_id, run)
  }
  return [...runs.values()].sort((a, b) => b.slot_ms - a.slot_ms)
}

/** What a card shows of one market. `own` is there for the owner only. */
export interface CardLine {
  market: string
  title: string
  line: string
  code: string
  allowed: boolean
  own: OwnerDecision | undefined
}

export function linesOf(run: Run): CardLine[] {
  if (isOwnerRun(run)) {
    return run.decisions.map((own) => ({
      market: own.market,
      title: wantedText(own),
      line: own.line,
      code: own.code,
      allowed: own.allowed,
      own,
    }))
  }
  return run.decisions.map((one) => ({
    market: one.market,
    title: wantedText(one),
    line: one.line,
    code: one.code,
    allowed: one.code === 'allowed',
    own: undefined,
  }))
}

export const headlineOf = (run: Run, lines: readonly CardLine[]) =>
  headline(
    run.state,
    lines.filter((one) => one.allowed).map((one) => one.title),
  )

/** Why, in one line: the owner's reason, else what the gates said where they said no; empty where nothing is to be said. */
export function reasonOf(line: CardLine): string {
  const isPlain = line.allowed || line.code === 'hold'
  const verdict = isPlain ? '' : codeText(line.code)
  return [line.own?.reason, verdict].filter(Boolean).join(' · ')
}

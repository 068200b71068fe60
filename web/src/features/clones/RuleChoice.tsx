import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { houseRulesQuery, type RuleNode } from './api'
import { PLAIN_RULES, type PlainRule, plainRule, ruleIn } from './replay'

const FIELD = 'h-9 border border-input bg-bg px-2'
const PERCENT_PPM = 10_000

/** A rule to decide by: one that always does the same, or that of a house strategy. */
export function RuleChoice({ onChange }: { onChange: (rule: RuleNode | undefined) => void }) {
  const house = useQuery(houseRulesQuery).data ?? []
  const [chosen, setChosen] = useState<string>('hold')
  const [percent, setPercent] = useState('50')
  const plain = PLAIN_RULES.find(([kind]) => kind === chosen)?.[0]
  const sized = plain === 'long' || plain === 'short'
  // biome-ignore lint/correctness/useExhaustiveDependencies: the rule follows from what is chosen
  useEffect(() => {
    const strategy = house.find((one) => one.name === chosen)?.strategy
    onChange(plain ? sizedRule(plain, percent) : strategy && ruleIn(strategy))
  }, [chosen, percent, house.length])
  return (
    <div className="flex flex-wrap items-end gap-3">
      <label className="min-w-0 flex-1 basis-56">
        <span className="mb-0.5 block text-xs text-muted">Rule</span>
        <select
          data-first-focus
          data-testid="instead-rule-name"
          className={`${FIELD} w-full`}
          value={chosen}
          onChange={(event) => setChosen(event.target.value)}
        >
          <optgroup label="Always the same">
            {PLAIN_RULES.map(([kind, text]) => (
              <option key={kind} value={kind}>
                {text}
              </option>
            ))}
          </optgroup>
          <optgroup label="House strategies">
            {house
              .filter((one) => ruleIn(one.strategy))
              .map((one) => (
                <option key={one.name} value={one.name}>
                  {one.title}
                </option>
              ))}
          </optgroup>
        </select>
      </label>
      {sized && (
        <label>
          <span className="mb-0.5 block text-xs text-muted">Share of equity, %</span>
          <input
            inputMode="numeric"
            className={`${FIELD} figure w-28`}
            data-testid="instead-share"
            aria-invalid={percentOf(percent) === undefined}
            value={percent}
            onChange={(event) => setPercent(event.target.value)}
          />
        </label>
      )}
    </div>
  )
}

function sizedRule(kind: PlainRule, typed: string): RuleNode | undefined {
  const percent = kind === 'hold' || kind === 'close' ? 0 : percentOf(typed)
  return percent === undefined ? undefined : plainRule(kind, percent * PERCENT_PPM)
}

function percentOf(typed: string): number | undefined {
  const percent = Number(typed)
  return /^\d{1,3}$/.test(typed.trim()) && percent >= 1 && percent <= 100 ? percent : undefined
}

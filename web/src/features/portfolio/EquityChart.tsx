import { useMemo } from 'react'
import type { Account } from '@/api/types'
import { type CurvePoint, underwater } from '@/lib/curves'
import { identityAt } from '@/lib/equity'
import { useMarks } from '@/live/prices'
import { useNow } from '@/live/status'
import CurveChart from '@/ui/charts/CurveChart'
import { withNow } from './curve'

interface Props {
  points: readonly CurvePoint[]
  /** What holding would have come to over the same time. */
  held: readonly CurvePoint[]
  account: Account
}

/** Equity over time beside holding, and how far it was under its peak; the last point is now. */
export default function EquityChart({ points, held, account }: Props) {
  const { equityMicros } = identityAt(account, useMarks())
  const nowSeconds = Math.floor(useNow(1_000) / 1_000)
  // biome-ignore lint/correctness/useExhaustiveDependencies: once a second is enough for the last point
  const whole = useMemo(() => withNow(points, nowSeconds * 1_000, equityMicros), [points, nowSeconds])
  const drawdown = useMemo(() => underwater(whole, account.start), [whole, account.start])
  return (
    <CurveChart
      label="Equity beside holding, and drawdown"
      points={whole}
      held={held}
      drawdown={drawdown}
      start={Number(account.start)}
    />
  )
}

/** What holding one market would have come to, from the candles of that market. */
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { INTERVAL_MS } from '@/lib/candles'
import { type CurvePoint, heldCurve, intervalFor } from '@/lib/curves'
import { candlesQuery } from './queries'
import type { Results } from './types'

const NONE: readonly CurvePoint[] = []

/** The market's candles over the time that holding was measured, as the worth of what was held. */
export function useHeldCurve(
  results: Pick<Results, 'start' | 'baselines'> | undefined,
): readonly CurvePoint[] {
  const baselines = results?.baselines
  const market = baselines?.market
  const fromMs = baselines?.from_ms ?? 0
  const toMs = baselines?.to_ms ?? fromMs
  const interval = intervalFor(toMs - fromMs)
  const { data } = useQuery({ ...candlesQuery(market ?? '', interval), enabled: market !== undefined })
  const start = results?.start
  const returnPpm = baselines?.buy_and_hold.return_ppm
  return useMemo(() => {
    if (!data || start === undefined || returnPpm === undefined) return NONE
    return heldCurve(data, { start, returnPpm }, { fromMs, toMs, intervalMs: INTERVAL_MS[interval] })
  }, [data, start, returnPpm, fromMs, toMs, interval])
}

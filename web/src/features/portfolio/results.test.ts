import { expect, test } from 'vitest'
import type { Results } from '@/api/types'
import { chanceSentence, metricsOf, NOT_YET, tossersText } from './results'

const blank = {
  return_ppm: null,
  standing_return_ppm: null,
  max_drawdown_ppm: null,
  sharpe: null,
  sortino: null,
  calmar: null,
  romad: null,
  profit_factor: null,
  win_rate: null,
  turnover_ppm: null,
  exposure_ppm: null,
  timing_alpha_ppm: null,
  deflated_sharpe: null,
  attempts: 1,
  sentence: null,
  closed_trades: null,
  days: 0,
  marks: 0,
  fills: 0,
  realised_pnl: '0',
  funding: '0',
  fees: '0',
} as Results

const measured = (results: Results, label: string) => metricsOf(results).find((one) => one.label === label)

test('what cannot be said is "not yet" and never a zero', () => {
  const sayable = metricsOf(blank).filter((one) => one.value !== NOT_YET)
  expect(sayable.map((one) => one.label)).toEqual(['Realised', 'Funding', 'Fees'])
  expect(chanceSentence(blank)).toContain('Not yet: it is too early')
})

test('every metric has the size of its sample beside it', () => {
  const results = { ...blank, return_ppm: 12_345, sharpe: '-1.999', win_rate: '0.6', turnover_ppm: 2_500_000 }
  const full = {
    ...results,
    ...{ days: 1, marks: 1_200, fills: 7, closed_trades: 5, deflated_sharpe: '0.412', attempts: 3 },
  }
  expect(measured(full, 'Return')).toMatchObject({ value: '+1.23%', sample: '1,200 marks' })
  expect(measured(full, 'Sharpe')).toMatchObject({ value: '−1.99', sample: '1 day' })
  expect(measured(full, 'Win rate')).toMatchObject({ value: '60.0%', sample: '5 closed trades' })
  expect(measured(full, 'Better than luck')).toMatchObject({ value: '41.2%', sample: '3 attempts' })
  expect(measured(blank, 'Win rate')?.sample).toBe('closed trades not counted')
  expect(measured(full, 'Turnover')).toMatchObject({ value: '2.50×', sample: '7 fills' })
})

test('luck is told in a sentence, beside those who only tossed coins', () => {
  const sentence = 'after 30 days this result is 81.2 % likely to be better than chance'
  expect(chanceSentence({ sentence })).toBe(
    'After 30 days this result is 81.2 % likely to be better than chance.',
  )
  const baseline = { return_ppm: -5_000, max_drawdown_ppm: 0, fills: 0, fees: '0' }
  const baselines = {
    market: 'SOL-USDC',
    from_ms: 0,
    to_ms: 1,
    buy_and_hold: baseline,
    random: baseline,
    seeds: 100,
    beaten: 63,
  }
  expect(tossersText(baselines)).toBe('Better than 63 of 100 coin tossers, whose median made −0.50%.')
  expect(tossersText(null)).toBeUndefined()
})

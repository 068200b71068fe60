import { useQuery } from '@tanstack/react-query'
import { modelsQuery } from '@/api/clones'
import { marketsQuery } from '@/api/queries'
import { INTERVALS } from '@/lib/candles'
import { Button } from '@/ui/Button'
import { FeaturePicker } from './FeaturePicker'
import { featureKey, newFeature } from './features'
import { Field, INPUT, Percent, Select, Typed, WholeNumber } from './fields'
import { updateNode } from './graph'
import { useActions } from './store'
import {
  type AssetNode,
  CADENCES_S,
  CANDLES_MAX,
  type CloneNode,
  FEATURES_MAX,
  type Feature,
  LEVERAGE_MAX,
  MARKETS_MAX,
  PPM,
  PROMPT_CHARS_MAX,
  type PromptNode,
  type StreamNode,
} from './strategy'
import { cadenceText } from './words'

const MODEL = /^[a-z0-9_-]{1,32}:[\x21-\x7e]{1,87}$/

export function StreamForm({ node }: { node: StreamNode }) {
  const { change } = useActions()
  const set = (part: Partial<StreamNode>, mark?: string) =>
    change((doc) => updateNode<'data_stream'>(doc, node.id, part), mark ? { mark } : {})
  const replace = (at: number, feature: Feature) =>
    set({ features: node.features.map((one, i) => (i === at ? feature : one)) }, `feature ${node.id} ${at}`)
  return (
    <div className="space-y-3">
      <div className="grid grid-cols-2 gap-2">
        <Field label="Candles of">
          <Select
            label="Interval of the candles"
            value={node.interval}
            options={INTERVALS.map((one) => [one, one] as const)}
            onChange={(interval) => set({ interval })}
          />
        </Field>
        <Field label="How many" hint="shown to a prompt; rules need none">
          <WholeNumber
            label="How many candles"
            value={node.candles}
            min={0}
            max={CANDLES_MAX}
            onChange={(candles) => set({ candles }, `candles ${node.id}`)}
          />
        </Field>
      </div>
      <fieldset className="space-y-1">
        <legend className="mb-1 text-xs text-muted">Features</legend>
        {node.features.map((feature, at) => (
          <div
            // biome-ignore lint/suspicious/noArrayIndexKey: features have no identity but their place
            key={at}
            data-testid="stream-feature"
            className="grid grid-cols-[minmax(0,1fr)_28px] gap-1"
          >
            <FeaturePicker
              feature={feature}
              label={`Feature ${at + 1}`}
              onChange={(next) => replace(at, next)}
            />
            <Button
              size="small"
              look="quiet"
              aria-label={`Remove ${featureKey(feature)}`}
              onClick={() => set({ features: node.features.filter((_, i) => i !== at) })}
            >
              ×
            </Button>
          </div>
        ))}
        <Button
          size="small"
          data-testid="add-feature"
          disabled={node.features.length >= FEATURES_MAX}
          onClick={() => set({ features: [...node.features, newFeature()] })}
        >
          Add feature
        </Button>
      </fieldset>
    </div>
  )
}

export function AssetForm({ node }: { node: AssetNode }) {
  const { change } = useActions()
  const markets = useQuery(marketsQuery)
  const known = markets.data?.map((one) => one.market) ?? []
  const all = [...known, ...node.markets.filter((one) => !known.includes(one))]
  const toggle = (market: string) =>
    change((doc) =>
      updateNode<'asset'>(doc, node.id, {
        markets: node.markets.includes(market)
          ? node.markets.filter((one) => one !== market)
          : [...node.markets, market],
      }),
    )
  return (
    <fieldset>
      <legend className="mb-1 text-xs text-muted">Markets, up to {MARKETS_MAX}</legend>
      {markets.error && <p className="text-sm text-warn">{markets.error.message}</p>}
      {all.map((market) => {
        const on = node.markets.includes(market)
        return (
          <label key={market} className="flex h-8 items-center gap-2 border-b border-line">
            <input
              type="checkbox"
              className="size-4 accent-(--accent)"
              data-testid={`market-${market}`}
              checked={on}
              disabled={!on && node.markets.length >= MARKETS_MAX}
              onChange={() => toggle(market)}
            />
            {market.replace('-', '/')}
          </label>
        )
      })}
    </fieldset>
  )
}

export function PromptForm({ node }: { node: PromptNode }) {
  const { change } = useActions()
  return (
    <Field
      label="Your words to the model"
      hint={`Private. ${node.text.length.toLocaleString('en')} of ${PROMPT_CHARS_MAX.toLocaleString('en')} characters.`}
    >
      <textarea
        className={`${INPUT} h-60! resize-y py-2`}
        data-testid="prompt-text"
        maxLength={PROMPT_CHARS_MAX}
        value={node.text}
        onChange={(event) =>
          change((doc) => updateNode<'trading_prompt'>(doc, node.id, { text: event.target.value }), {
            mark: `prompt ${node.id}`,
          })
        }
      />
    </Field>
  )
}

export function CloneForm({ node }: { node: CloneNode }) {
  const { change } = useActions()
  const { data: offered = [] } = useQuery(modelsQuery)
  const set = (part: Partial<CloneNode>, mark?: string) =>
    change((doc) => updateNode<'trading_clone'>(doc, node.id, part), mark ? { mark } : {})
  return (
    <div className="space-y-3">
      <Field label="Decides every">
        <Select
          label="Cadence"
          value={String(node.cadence_s)}
          options={CADENCES_S.map((one) => [String(one), cadenceText(one)] as const)}
          onChange={(seconds) => set({ cadence_s: Number(seconds) })}
          testId="cadence"
        />
      </Field>
      <div className="grid grid-cols-2 gap-2">
        <Field label="Most leverage">
          <WholeNumber
            label="Most leverage"
            value={node.max_leverage}
            min={1}
            max={LEVERAGE_MAX}
            onChange={(max_leverage) => set({ max_leverage }, `leverage ${node.id}`)}
          />
        </Field>
        <Field label="Most in one market" hint="of equity">
          <Percent
            label="Most in one market"
            value={node.max_position_ppm}
            min={1}
            max={PPM}
            onChange={(max_position_ppm) => set({ max_position_ppm }, `position ${node.id}`)}
            testId="max-position"
          />
        </Field>
      </div>
      <Field
        label="Language model"
        hint={
          offered.length > 0
            ? `for prompts only; rules need none. Offered here: ${offered.join(', ')}`
            : 'for prompts only; none is offered here until the operator configures one'
        }
      >
        <Typed<string | null>
          label="Language model"
          value={node.model}
          read={(typed) => {
            const text = typed.trim()
            return text === '' ? null : MODEL.test(text) ? text : undefined
          }}
          write={(model) => model ?? ''}
          onChange={(model) => set({ model }, `model ${node.id}`)}
          wrong="Write it as provider:model."
          inputMode="text"
          suggestions={offered}
          testId="model"
        />
      </Field>
    </div>
  )
}

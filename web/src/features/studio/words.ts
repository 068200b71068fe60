/** Strategies in plain words: what a block, a clause, a condition does. Pure. */
import { featureLabel } from './features'
import { percentText } from './percent'
import {
  type Clause,
  type Condition,
  type NodeKind,
  type Operand,
  PPM,
  type RuleAction,
  type StrategyNode,
} from './strategy'

export const KIND_NAME: Record<NodeKind, string> = {
  data_stream: 'Data stream',
  asset: 'Asset',
  trading_prompt: 'Trading prompt',
  rule: 'Rule',
  trading_clone: 'Trading clone',
}

export const KIND_HINT: Record<NodeKind, string> = {
  data_stream: 'What a decision sees: features and candles',
  asset: 'The markets that are traded',
  trading_prompt: 'Words to a language model; private',
  rule: 'Decides by itself, without a model',
  trading_clone: 'How often, how large, with which model',
}

const CADENCE: Record<number, string> = {
  60: '1 minute',
  300: '5 minutes',
  900: '15 minutes',
  3600: '1 hour',
  14400: '4 hours',
}

export const cadenceText = (seconds: number) => CADENCE[seconds] ?? `${seconds} s`

export function operandText(operand: Operand): string {
  switch (operand.kind) {
    case 'feature': {
      const label = featureLabel(operand.feature)
      return operand.scale_ppm === PPM ? label : `${percentText(operand.scale_ppm)}% of ${label}`
    }
    case 'number':
      return operand.value
    case 'position':
      return operand.which === 'share' ? "the position's share" : "the position's return"
  }
}

export function conditionText(condition: Condition): string {
  switch (condition.kind) {
    case 'compare':
      return `${operandText(condition.left)} is ${condition.op} ${operandText(condition.right)}`
    case 'cross':
      return `${operandText(condition.left)} crosses ${condition.op} ${operandText(condition.right)}`
    case 'all':
    case 'any': {
      const inner = condition.conditions.map((one) =>
        one.kind === 'all' || one.kind === 'any' ? `(${conditionText(one)})` : conditionText(one),
      )
      return inner.join(condition.kind === 'all' ? ' and ' : ' or ') || 'nothing'
    }
    case 'not':
      return `not (${conditionText(condition.condition)})`
    case 'always':
      return 'always'
    case 'chance':
      return `by chance, ${percentText(condition.ppm)}%`
  }
}

export function actionText(action: RuleAction): string {
  switch (action.kind) {
    case 'close':
      return 'close the position'
    case 'hold':
      return 'hold'
    case 'target': {
      const side = action.share_ppm < 0 ? 'short' : 'long'
      const exits = [
        action.stop_ppm === null ? '' : `stop ${percentText(action.stop_ppm)}%`,
        action.target_ppm === null ? '' : `target ${percentText(action.target_ppm)}%`,
      ].filter(Boolean)
      const leverage = action.leverage > 1 ? ` at ${action.leverage}×` : ''
      const size = `${side} ${percentText(Math.abs(action.share_ppm))}% of equity${leverage}`
      return exits.length > 0 ? `${size}, ${exits.join(', ')}` : size
    }
  }
}

export const clauseText = ({ when, then }: Clause) =>
  when.kind === 'always' ? capital(actionText(then)) : `When ${conditionText(when)}: ${actionText(then)}`

/** One line that tells a block from its kin. */
export function nodeSummary(node: StrategyNode): string {
  switch (node.kind) {
    case 'data_stream': {
      const features = plural(node.features.length, 'feature')
      return node.candles > 0 ? `${features}, ${node.candles} × ${node.interval} candles` : features
    }
    case 'asset':
      return node.markets.join(', ') || 'No market yet'
    case 'trading_prompt':
      return node.text.trim() === '' ? 'No words yet' : `${node.text.trim().slice(0, 60)}`
    case 'rule':
      return node.clauses[0]
        ? `${plural(node.clauses.length, 'clause')}: ${clauseText(node.clauses[0])}`
        : 'No clause yet'
    case 'trading_clone':
      return `Every ${cadenceText(node.cadence_s)}, up to ${percentText(node.max_position_ppm)}% per market`
  }
}

export const plural = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

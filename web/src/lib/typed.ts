/** Decimal text as people type it. Pure; nothing is rounded and nothing is guessed. */
import { toWire } from './money'

const INTEGER_DIGITS_MAX = 15
const GROUPED = /^[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/

export interface Wanted {
  /** As in "Enter …". */
  what: string
  /** As in "… has at most 6 decimals". */
  name: string
  places: number
  example: string
}

export type ReadDecimal = { text: string; reason?: undefined } | { text?: undefined; reason: string }

/**
 * Read typed text into the plain decimal string of the wire, or say what is wrong. A decimal comma counts as a point;
 * one that may as well group thousands, as this page writes its figures, is refused.
 */
export function readDecimal(typed: string, wanted: Wanted): ReadDecimal {
  const given = typed.trim()
  const thing = wanted.what.replace(/^an? /, '')
  if (GROUPED.test(given)) return { reason: `Write the ${thing} without a comma between thousands.` }
  const text = given.replace(',', '.')
  if (text === '') return { reason: `Enter ${wanted.what}.` }
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text)
  const whole = match?.[1] ?? ''
  const fraction = (match?.[2] ?? '').replace(/0+$/, '')
  if (!match || whole + (match[2] ?? '') === '')
    return { reason: `Enter a number, such as ${wanted.example}.` }
  if (whole.replace(/^0+/, '').length > INTEGER_DIGITS_MAX) return { reason: 'That is more than exists.' }
  if (fraction.length > wanted.places)
    return { reason: `${wanted.name} has at most ${wanted.places} decimals.` }
  const value = toWire(BigInt((whole || '0') + fraction.padEnd(wanted.places, '0')), wanted.places)
  return value === '0' ? { reason: `Enter ${wanted.what} above zero.` } : { text: value }
}

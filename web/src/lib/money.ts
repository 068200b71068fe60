/** Money as the server counts it: integers in a bigint, decimal strings on the wire. Never a float. */

export const MICROS_DECIMALS = 6
export const NANOS_DECIMALS = 9
export const E8_DECIMALS = 8

/** quantity_nanos * price_e8 / NOTIONAL_DIVISOR is micro-USDC. */
export const NOTIONAL_DIVISOR = 10n ** 11n

const WIRE = /^(-)?(\d{1,18})(?:\.(\d{1,9}))?$/

/** Read a decimal string of the wire into an integer scaled by 10^decimals. Throws on anything else. */
export function parseWire(text: string, decimals: number): bigint {
  const match = WIRE.exec(text)
  const fraction = match?.[3] ?? ''
  if (!match?.[2] || fraction.length > decimals)
    throw new Error(`not a decimal with ${decimals} places: ${text}`)
  const value = BigInt(match[2] + fraction.padEnd(decimals, '0'))
  return match[1] ? -value : value
}

export const parseMicros = (text: string) => parseWire(text, MICROS_DECIMALS)
export const parseNanos = (text: string) => parseWire(text, NANOS_DECIMALS)
export const parseE8 = (text: string) => parseWire(text, E8_DECIMALS)

/** Write a scaled integer as a plain decimal string without trailing zeros. */
export function toWire(value: bigint, decimals: number): string {
  const sign = value < 0n ? '-' : ''
  const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '')
  return fraction ? `${sign}${whole}.${fraction}` : `${sign}${whole}`
}

/** Division towards minus infinity, which bigint `/` is not. */
export function floorDiv(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  return numerator % denominator !== 0n && numerator < 0n !== denominator < 0n ? quotient - 1n : quotient
}

/** Value of a holding at a price, rounded against the account. */
export function notionalMicros(quantityNanos: bigint, priceE8: bigint): bigint {
  return floorDiv(quantityNanos * priceE8, NOTIONAL_DIVISOR)
}

/** Round to fewer decimals, half away from zero: for display only. */
export function roundTo(value: bigint, decimals: number, places: number): bigint {
  if (places >= decimals) return value * 10n ** BigInt(places - decimals)
  const unit = 10n ** BigInt(decimals - places)
  const magnitude = (value < 0n ? -value : value) + unit / 2n
  const rounded = magnitude / unit
  return value < 0n ? -rounded : rounded
}

/** Numbers as people read them. Input is what the wire carries; a missing value is shown as a dash, never as zero. */
import { MICROS_DECIMALS, parseWire, roundTo, toWire } from './money'

export const MISSING = '–'
const MINUS = '−'

/** Group the whole part by thousands and pad to `places` decimals. */
export function formatScaled(value: bigint, decimals: number, places: number): string {
  const rounded = roundTo(value, decimals, places)
  const text = toWire(rounded < 0n ? -rounded : rounded, places)
  const [whole = '0', fraction = ''] = text.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  const sign = rounded < 0n ? MINUS : ''
  return places === 0 ? `${sign}${grouped}` : `${sign}${grouped}.${fraction.padEnd(places, '0')}`
}

/** USD with cents: "10,000.00". */
export function formatUsd(micros: bigint | undefined, places = 2): string {
  return micros === undefined ? MISSING : formatScaled(micros, MICROS_DECIMALS, places)
}

/** USD with an explicit sign for changes: "+1.20", "−0.03", "0.00". */
export function formatSignedUsd(micros: bigint | undefined, places = 2): string {
  if (micros === undefined) return MISSING
  return withSign(formatScaled(micros, MICROS_DECIMALS, places), micros)
}

/** A count: "1,234". */
export const grouped = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ',')

/** A decimal string of the wire with at least `places` decimals; further digits are kept, none are invented. */
export function formatWire(text: string | null | undefined, places: number): string {
  if (text === null || text === undefined) return MISSING
  const kept = Math.max(places, text.split('.')[1]?.length ?? 0)
  return formatScaled(parseWire(text, 9), 9, kept)
}

/** A price at the places its market is shown with; steady in width while it moves. */
export function formatPrice(text: string | null | undefined, places: number): string {
  return text === null || text === undefined ? MISSING : formatScaled(parseWire(text, 9), 9, places)
}

const FIGURES_MIN = 5
const PLACES_MAX = 9

/** A price where its market is not at hand: two decimals, or as many as a small price needs to be seen moving. */
export function briefPrice(text: string | null | undefined): string {
  const whole = Math.floor(Math.log10(Number(text))) + 1
  const places = Number.isFinite(whole) ? Math.min(Math.max(2, FIGURES_MIN - whole), PLACES_MAX) : 2
  return formatPrice(text, places)
}

/** Parts per million as a signed percentage: 12345 -> "+1.23%". */
export function formatPpm(ppm: number | null | undefined, places = 2): string {
  if (ppm === null || ppm === undefined) return MISSING
  const text = `${formatScaled(BigInt(ppm), 4, places)}%`
  return withSign(text, BigInt(ppm))
}

/** The share of `part` in `whole` in parts per million, rounded down; undefined when there is no whole. */
export function sharePpm(part: bigint, whole: bigint): number | undefined {
  return whole === 0n ? undefined : Number((part * 1_000_000n) / whole)
}

export type Direction = 'up' | 'down' | 'flat'

/** Which way a figure points, after rounding for display: what reads as 0.00 is flat. */
export function directionOf(value: bigint | undefined, decimals = MICROS_DECIMALS, places = 2): Direction {
  const rounded = value === undefined ? 0n : roundTo(value, decimals, places)
  return rounded > 0n ? 'up' : rounded < 0n ? 'down' : 'flat'
}

/** "7xKX…9fQz": enough of an address to recognise it. */
export function shortAddress(address: string): string {
  return address.length <= 12
    ? address
    : `${address.slice(0, address.startsWith('0x') ? 6 : 4)}…${address.slice(-4)}`
}

const CHAIN_NAMES: Record<string, string> = {
  solana: 'Solana',
  'eip155:1': 'Ethereum',
  'eip155:4326': 'MegaETH',
  'eip155:6343': 'MegaETH testnet',
}

/** A chain as a person knows it; an unknown EVM chain shows its number. */
export function chainName(chain: string): string {
  return CHAIN_NAMES[chain] ?? (chain.startsWith('eip155:') ? `EVM chain ${chain.slice(7)}` : chain)
}

function withSign(text: string, value: bigint): string {
  return value > 0n && /[1-9]/.test(text) ? `+${text}` : text
}

/** What the server says, as a sentence among others. */
export function sentence(text: string): string {
  const said = text.trim()
  return `${said.slice(0, 1).toUpperCase()}${said.slice(1)}${/[.!?…]$/.test(said) ? '' : '.'}`
}

/** "SOL/USDC" of a spot market, "SOL-PERP" of a perpetual. */
export function marketName({ market, kind }: { market: string; kind: string }): string {
  return kind === 'spot' ? market.replace('-', '/') : market
}

/** Checks that a revealed strategy is the one that was committed to, with this browser's own SHA-256. */
import type { Revealed } from './api'

export interface Verified {
  /** Of the revealed text, as computed here. */
  sha256: string
  /** Of salt and hash, as computed here. */
  commitment: string
  /** Whether the text has the hash it is said to have. */
  textMatches: boolean
  /** Whether salt and hash make the commitment that was published with the version. */
  commitmentMatches: boolean
}

/** `published` is the commitment as it was known before the strategy was revealed. */
export async function verify(revealed: Revealed, published: string): Promise<Verified> {
  const hash = await sha256(new TextEncoder().encode(revealed.strategy))
  const commitment = hexOf(await sha256(new Uint8Array([...bytesOf(revealed.salt), ...hash])))
  return {
    sha256: hexOf(hash),
    commitment,
    textMatches: hexOf(hash) === revealed.sha256,
    commitmentMatches: commitment === published,
  }
}

/** Browsers compute hashes only on pages that came safely. */
export const canVerify = () => globalThis.crypto?.subtle !== undefined

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

const hexOf = (bytes: Uint8Array) => Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('')

function bytesOf(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((two) => Number.parseInt(two, 16))
}

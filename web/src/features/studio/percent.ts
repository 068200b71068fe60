/** Parts per million as people type them: per cent. Pure. */

const TYPED = /^(-?)(\d{1,9})(?:[.,](\d{1,4}))?$/

/** "12.5" is 125000; undefined when it is not a percentage with at most four decimals. */
export function readPercent(typed: string): number | undefined {
  const match = TYPED.exec(typed.trim().replace(/\s*%$/, ''))
  if (!match) return undefined
  const ppm = Number(match[2]) * 10_000 + Number((match[3] ?? '').padEnd(4, '0'))
  return match[1] && ppm !== 0 ? -ppm : ppm
}

/** 125000 is "12.5". */
export function percentText(ppm: number): string {
  const size = Math.abs(ppm)
  const fraction = String(size % 10_000)
    .padStart(4, '0')
    .replace(/0+$/, '')
  const whole = Math.floor(size / 10_000)
  return `${ppm < 0 ? '-' : ''}${whole}${fraction ? `.${fraction}` : ''}`
}

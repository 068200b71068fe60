import { useEffect, useRef } from 'react'
import { type Direction, directionOf, formatPpm, formatSignedUsd } from '@/lib/format'

interface Props {
  text: string
  testId?: string
  className?: string
}

/** A live figure: only the digits that changed flash, in the colour of their direction. */
export function Figure({ text, testId, className = '' }: Props) {
  const before = useRef(text)
  const previous = before.current
  useEffect(() => {
    before.current = text
  }, [text])
  const at = firstDifference(previous, text)
  const rose = Number(text.replace(/[^0-9.]/g, '')) >= Number(previous.replace(/[^0-9.]/g, ''))
  return (
    <span className={`figure ${className}`} data-testid={testId}>
      {text.slice(0, at)}
      {at < text.length && (
        <span key={text} className={rose ? 'digit-up' : 'digit-down'}>
          {text.slice(at)}
        </span>
      )}
    </span>
  )
}

function firstDifference(before: string, after: string): number {
  let at = 0
  while (at < after.length && before[at] === after[at]) at += 1
  return at
}

const ARROWS: Record<Direction, string> = { up: '▲', down: '▼', flat: '·' }
const COLOURS: Record<Direction, string> = { up: 'text-gain', down: 'text-loss', flat: 'text-muted' }

/** A profit or loss: sign, arrow and colour say the same thing three times. */
export function Pnl({ micros, className = '' }: { micros: bigint | undefined; className?: string }) {
  const direction = directionOf(micros)
  return <Signed text={formatSignedUsd(micros)} direction={direction} className={className} />
}

/** A change in parts per million as a signed percentage. */
export function Change({ ppm, className = '' }: { ppm: number | null | undefined; className?: string }) {
  const direction = directionOf(BigInt(ppm ?? 0), 4)
  return <Signed text={formatPpm(ppm)} direction={direction} className={className} />
}

function Signed({ text, direction, className }: { text: string; direction: Direction; className: string }) {
  return (
    <span className={`figure ${COLOURS[direction]} ${className}`}>
      <span aria-hidden="true" className="mr-1 text-[0.7em]">
        {ARROWS[direction]}
      </span>
      {text}
    </span>
  )
}

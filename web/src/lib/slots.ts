/** When clones decide: at whole multiples of their cadence. Pure. */

/** The first slot after this moment. */
export function nextSlotMs(nowMs: number, cadenceS: number): number {
  const cadenceMs = cadenceS * 1_000
  return (Math.floor(nowMs / cadenceMs) + 1) * cadenceMs
}

/** A countdown as a clock shows it: "0:42", "14:05", "3:59:10". Never below zero. */
export function countdownText(leftMs: number): string {
  const left = Math.max(0, Math.ceil(leftMs / 1_000))
  const two = (part: number) => String(part).padStart(2, '0')
  const [hours, minutes, seconds] = [Math.floor(left / 3_600), Math.floor(left / 60) % 60, left % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

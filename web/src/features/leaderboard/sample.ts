/** Below this many fills a return says more about luck than about skill. */
export const THIN_FILLS = 30

export function isThin(fills: number): boolean {
  return fills < THIN_FILLS
}

/** Problems of a strategy, by the block they are in. Pure. */

/** As the server says it: `path` is a place in the JSON, `node_id` the block, null for the graph. */
export interface StrategyProblem {
  path: string
  node_id: string | null
  code: string
  message: string
}

export function countByNode(problems: readonly StrategyProblem[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { node_id } of problems) {
    if (node_id !== null) counts.set(node_id, (counts.get(node_id) ?? 0) + 1)
  }
  return counts
}

/** The clause a problem is in, counted from one; undefined when it is in none. */
export function clauseOf(problem: StrategyProblem): number | undefined {
  const match = /clauses\[(\d+)\]/.exec(problem.path)
  return match ? Number(match[1]) + 1 : undefined
}

/** "rule, clause 2": where to look. */
export function placeOf(problem: StrategyProblem): string {
  const clause = clauseOf(problem)
  const block = problem.node_id ?? 'strategy'
  return clause === undefined ? block : `${block}, clause ${clause}`
}

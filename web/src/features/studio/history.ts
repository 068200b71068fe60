/** Undo and redo over any value. Pure. */

export const STEPS_MAX = 200

export interface History<T> {
  past: readonly T[]
  present: T
  future: readonly T[]
  /** What the last step was about: a step with the same mark goes on with it instead of adding another. */
  mark: string | undefined
}

export const startHistory = <T>(present: T): History<T> => ({
  past: [],
  present,
  future: [],
  mark: undefined,
})

/** Typing into one field is one step: give such steps one mark. */
export function record<T>(history: History<T>, next: T, mark?: string): History<T> {
  if (next === history.present) return history
  if (mark !== undefined && mark === history.mark) return { ...history, present: next, future: [] }
  return {
    past: [...history.past, history.present].slice(-STEPS_MAX),
    present: next,
    future: [],
    mark,
  }
}

export function undo<T>(history: History<T>): History<T> {
  const before = history.past.at(-1)
  if (before === undefined) return history
  return {
    past: history.past.slice(0, -1),
    present: before,
    future: [history.present, ...history.future],
    mark: undefined,
  }
}

export function redo<T>(history: History<T>): History<T> {
  const [next, ...future] = history.future
  if (next === undefined) return history
  return { past: [...history.past, history.present], present: next, future, mark: undefined }
}

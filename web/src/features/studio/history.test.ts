import { expect, test } from 'vitest'
import { record, redo, STEPS_MAX, startHistory, undo } from './history'

test('undo and redo go back and forth over the same steps', () => {
  const two = record(record(startHistory('a'), 'b'), 'c')
  const back = undo(undo(two))
  expect(back.present).toBe('a')
  expect(undo(back)).toBe(back)
  expect(redo(redo(back)).present).toBe('c')
  expect(redo(two)).toBe(two)
})

test('a change after an undo ends what could be done again', () => {
  const changed = record(undo(record(startHistory('a'), 'b')), 'c')
  expect(redo(changed)).toBe(changed)
  expect(undo(changed).present).toBe('a')
})

test('steps with one mark are one step, until another or an undo comes between', () => {
  const typed = record(record(startHistory(''), 'h', 'name'), 'hi', 'name')
  expect(undo(typed).present).toBe('')
  const other = record(record(typed, 'hi!', 'bio'), 'hi!!', 'name')
  expect(undo(other).present).toBe('hi!')
  const after = record(undo(other), 'ho', 'name')
  expect(undo(after).present).toBe('hi!')
})

test('a change that changes nothing is no step', () => {
  const start = startHistory('a')
  expect(record(start, 'a')).toBe(start)
})

test('the oldest steps are forgotten', () => {
  let history = startHistory(0)
  for (let step = 1; step <= STEPS_MAX + 5; step += 1) history = record(history, step)
  expect(history.past).toHaveLength(STEPS_MAX)
  expect(history.past[0]).toBe(5)
})

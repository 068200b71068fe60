import { expect, test } from 'vitest'
import { draftKey, type LocalDraft, openDraft, type ServerDraft } from './drafts'
import { addNode } from './graph'
import { docText, emptyDoc } from './strategy'

const one = addNode(emptyDoc(), 'rule').doc
const two = addNode(one, 'asset').doc
const server: ServerDraft = { ...one, base_version: 2, revision: 7, saved_ms: 1 }
const local = (doc: typeof one, revision: number): LocalDraft => ({ ...doc, key: 'k', revision, saved_ms: 2 })

test('a draft that was never saved opens as an empty canvas without unsaved changes', () => {
  const opened = openDraft(
    { strategy: null, layout: {}, base_version: null, revision: 0, saved_ms: null },
    undefined,
  )
  expect(opened.doc.strategy.nodes).toEqual([])
  expect(docText(opened.doc)).toBe(opened.savedText)
})

test('work that goes on from the newest revision is opened as unsaved', () => {
  const opened = openDraft(server, local(two, 7))
  expect(opened.doc.strategy.nodes).toHaveLength(2)
  expect(docText(opened.doc)).not.toBe(opened.savedText)
  expect(opened.other).toBeUndefined()
})

test('work from an older revision is offered and never put in place of the newest', () => {
  const older = local(two, 6)
  const opened = openDraft(server, older)
  expect(opened.doc.strategy.nodes).toHaveLength(1)
  expect(opened.other).toBe(older)
})

test('work that is the same as what the server has is nothing to ask about', () => {
  expect(openDraft(server, local(one, 3)).other).toBeUndefined()
})

test('drafts of two users, clones or base versions are kept apart', () => {
  const keys = [draftKey('u', 'c', 1), draftKey('v', 'c', 1), draftKey('u', 'd', 1), draftKey('u', 'c', null)]
  expect(new Set(keys).size).toBe(4)
})

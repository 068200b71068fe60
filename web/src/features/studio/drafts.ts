/** Which draft to open, and what to do when two differ. Pure. */
import { type Doc, docText, emptyDoc, type Layout, type Strategy, withDefaults } from './strategy'

/** As the server keeps it. */
export interface ServerDraft {
  strategy: Strategy | null
  layout: Layout
  base_version: number | null
  revision: number
  saved_ms: number | null
}

/** As this browser keeps it: `revision` is the server's revision that it goes on from. */
export interface LocalDraft {
  key: string
  strategy: Strategy
  layout: Layout
  revision: number
  saved_ms: number
}

/** What the keys of all drafts of a clone begin with. */
export const draftPrefix = (userId: string, cloneId: string) => `${userId}/${cloneId}/`

export const draftKey = (userId: string, cloneId: string, baseVersion: number | null) =>
  `${draftPrefix(userId, cloneId)}${baseVersion ?? 0}`

export interface Opened {
  doc: Doc
  /** What the server has, as text: anything else is unsaved. */
  savedText: string
  /** Work of this browser that does not go on from the server's newest revision. */
  other: LocalDraft | undefined
}

export function docOf(kept: { strategy: Strategy | null; layout: Layout }): Doc {
  return kept.strategy
    ? { strategy: withDefaults(kept.strategy), layout: kept.layout ?? {} }
    : { ...emptyDoc(), layout: kept.layout ?? {} }
}

/**
 * The server's draft, unless this browser has work that goes on from exactly that revision. Work that does not is
 * offered instead of used: neither is ever thrown away unseen.
 */
export function openDraft(server: ServerDraft, local: LocalDraft | undefined): Opened {
  const kept = docOf(server)
  const savedText = docText(kept)
  if (!local) return { doc: kept, savedText, other: undefined }
  const mine = docOf(local)
  if (docText(mine) === savedText) return { doc: kept, savedText, other: undefined }
  if (local.revision === server.revision) return { doc: mine, savedText, other: undefined }
  return { doc: kept, savedText, other: local }
}

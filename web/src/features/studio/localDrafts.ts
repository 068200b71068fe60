/** Drafts in this browser (IndexedDB): what was typed survives a crash, a closed tab and a server that is away. */
import { draftPrefix, type LocalDraft } from './drafts'

const NAME = 'pump-party'
const STORE = 'drafts'
const DRAFTS_MAX = 60

function open(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'key' })
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

async function use<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open()
  try {
    return await new Promise((resolve, reject) => {
      const asked = work(database.transaction(STORE, mode).objectStore(STORE))
      asked.onsuccess = () => resolve(asked.result)
      asked.onerror = () => reject(asked.error)
    })
  } finally {
    database.close()
  }
}

/** The newest of a clone, whatever version it began with. Undefined where the browser keeps nothing. */
export async function readLocal(userId: string, cloneId: string): Promise<LocalDraft | undefined> {
  const prefix = draftPrefix(userId, cloneId)
  const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`)
  const found = await use<LocalDraft[]>('readonly', (store) => store.getAll(range)).catch(() => [])
  return found.sort((a, b) => b.saved_ms - a.saved_ms)[0]
}

/** Returns whether it was kept: private windows keep nothing. */
export async function writeLocal(draft: LocalDraft): Promise<boolean> {
  try {
    await use('readwrite', (store) => store.put(draft))
    await forgetOldest()
    return true
  } catch {
    return false
  }
}

export async function forgetLocal(key: string): Promise<void> {
  await use('readwrite', (store) => store.delete(key)).catch(() => undefined)
}

async function forgetOldest() {
  const all = await use<LocalDraft[]>('readonly', (store) => store.getAll())
  const oldest = all.sort((a, b) => b.saved_ms - a.saved_ms).slice(DRAFTS_MAX)
  for (const draft of oldest) await forgetLocal(draft.key)
}

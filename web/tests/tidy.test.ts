/** The rules of the source tree that a compiler does not check. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const SOURCE = join(ROOT, 'src')
const LINES_MAX = 250
/** Each layer may import itself and what stands before it. */
const LAYERS = ['lib', 'ui', 'api', 'live', 'features', 'app']

function filesBelow(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })
}

const sources = filesBelow(SOURCE)
  .filter((path) => /\.(ts|tsx|css)$/.test(path) && !path.endsWith('schema.d.ts'))
  .map((path) => ({ path: relative(SOURCE, path).replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))

/** What a file imports from this tree, as paths from `src`. */
function importsOf({ path, text }: { path: string; text: string }): string[] {
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')
  return names.flatMap((name) => {
    if (name.startsWith('@/')) return [name.slice(2)]
    return name.startsWith('.') ? [posix.join(posix.dirname(path), name)] : []
  })
}

const layerOf = (path: string) => LAYERS.indexOf(path.split('/')[0] ?? '')

test('imports point down the layers only', () => {
  const wrong = sources.flatMap((file) =>
    file.path === 'main.tsx'
      ? []
      : importsOf(file)
          .filter((to) => layerOf(to) > layerOf(file.path))
          .map((to) => `${file.path} -> ${to}`),
  )
  expect(sources.length).toBeGreaterThan(40)
  expect(wrong).toEqual([])
})

test('features never import each other', () => {
  const feature = (path: string) => /^features\/([^/]+)/.exec(path)?.[1]
  const wrong = sources.flatMap((file) => {
    const own = feature(file.path)
    const others = importsOf(file).filter((to) => feature(to) !== undefined && feature(to) !== own)
    return own ? others.map((to) => `${file.path} -> ${to}`) : []
  })
  expect(wrong).toEqual([])
})

test('no file is longer than its budget', () => {
  const long = sources.filter(({ text }) => text.split('\n').length > LINES_MAX + 1).map(({ path }) => path)
  expect(long).toEqual([])
})

test('two files never differ by case alone', () => {
  const names = sources.map(({ path }) => path.replace(/\.\w+$/, '').toLowerCase())
  const twins = names.filter((name, at) => names.indexOf(name) !== at)
  expect(twins).toEqual([])
})

test('the lock file names versions and hashes but no place to download from', () => {
  const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  expect(lock).toContain('"integrity"')
  expect(lock).not.toContain('"resolved"')
})

test('the page loads nothing from elsewhere and runs no inline script', () => {
  const html = readFileSync(join(ROOT, 'index.html'), 'utf8')
  expect(html).not.toMatch(/https?:\/\//)
  expect([...html.matchAll(/<script[^>]*>/g)].every(([tag]) => tag.includes('src="/'))).toBe(true)
  const outside = sources.filter(
    ({ path, text }) => !path.includes('.test.') && /https?:\/\/|eval\(|new Function/.test(text),
  )
  expect(outside.map(({ path }) => path)).toEqual([])
})

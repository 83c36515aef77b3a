/** The repository as the tests of this folder look at it: its files, and what is in them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The absolute path of a file, named from the root. */
export const rootFile = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

/** A JSON file, named from the root. */
export const readJson = (path: string): unknown => JSON.parse(readFileSync(rootFile(path), 'utf8'))

/** In an order of its own, so that only what is in it counts. */
export const listOf = (names: readonly string[]): string[] => [...names].sort()

/** What Git tracks, or would with the next commit; undefined outside a clone, for instance in an unpacked archive. */
export const trackedFiles = (): string[] | undefined => {
  try {
    return execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: rootFile('.'),
      encoding: 'utf8',
    })
      .split('\0')
      .filter((path) => path !== '' && existsSync(rootFile(path)))
  } catch {
    return undefined
  }
}

/** Ottla as a user has it: the built package, not the sources that the benchmark would be compiled with. */
import { existsSync } from 'node:fs'
import { SubjectUnavailable } from './benchmark.js'

/** The public API's types come from the sources; what runs is dist. */
export type OttlaModule = typeof import('ottla')

/** Where the built package's entry is. */
export const ottlaEntry = new URL('../../dist/index.js', import.meta.url)

/** Where the entry of its file storage is. */
export const fileStorageEntry = new URL('../../dist/storage/file.js', import.meta.url)

/** @throws SubjectUnavailable when it was not built. */
export const loadOttla = async (): Promise<OttlaModule> => {
  if (!existsSync(ottlaEntry)) throw new SubjectUnavailable('dist is missing: npm run build makes it')
  return (await import(ottlaEntry.href)) as OttlaModule
}

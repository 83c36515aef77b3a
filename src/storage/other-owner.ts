/** Whether a folder holds a log already that another kind of storage keeps there. */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import type { Files } from '../runtime/files.js'

/** The kinds that keep a log in a folder, and how one is told by what lies in it. */
const KINDS = {
  level: { isThere: (names: readonly string[]) => names.includes('CURRENT'), open: 'Ottla.open(location)' },
  file: {
    isThere: (names: readonly string[]) => names.some((name) => /^[\w-]{22}-\d+$/.test(name)),
    open: 'Ottla.open({ storage: fileStorage(location) })',
  },
} as const

/**
 * Refuses a folder with the log of another kind of storage: opened, it would look like an empty one.
 * @throws OttlaError STORAGE_NOT_EMPTY.
 */
export const refuseOtherOwner = async (
  files: Files,
  directory: string,
  own: keyof typeof KINDS,
): Promise<void> => {
  const names = await files.list(directory)
  for (const [kind, { isThere, open }] of Object.entries(KINDS)) {
    if (kind === own || !isThere(names)) continue
    throw new OttlaError(
      'STORAGE_NOT_EMPTY',
      `The folder ${directory} holds a log of ${kind} storage; expected one of ${own} storage, or an empty folder. Open it with ${open}, or copy it with Ottla.copy.`,
      { details: { directory, kind } },
    )
  }
}

/** What a database's own errors mean here. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/** The typed error for `error`, which `what` (a folder, a partition) ran into. */
export const levelError = (error: unknown, what: string, failed: string): OttlaError => {
  if (OttlaError.is(error)) return error
  const causes: string[] = []
  for (let at: unknown = error; at instanceof Error && causes.length < 5; at = at.cause) {
    causes.push((at as Error & { readonly code?: string }).code ?? '', at.message)
  }
  const text = causes.filter((cause) => cause !== '').join(': ')
  if (causes.includes('LEVEL_LOCKED')) {
    return new OttlaError('STORAGE_LOCKED', `${what} is open in another process; close it there first.`, {
      cause: error,
    })
  }
  if (/corrupt|checksum|manifest|missing files/i.test(text)) {
    return new OttlaError('STORAGE_CORRUPT', `${what} is damaged and ${failed}: ${text}.`, { cause: error })
  }
  return new OttlaError('STORAGE_FAILED', `${what} ${failed}: ${text}.`, { cause: error })
}

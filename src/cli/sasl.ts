/** Who may connect, as the command line says it: mechanisms, and the file with the users' passwords. */
import type { Ottla, SaslOptions, ScramMechanism } from 'ottla'
import { readUtf8 } from '../runtime/bytes.js'
import { invalidArgument, OttlaError } from '../runtime/errors/ottla-error.js'
import type { Files } from '../runtime/files.js'

/** The mechanisms that the command line knows. */
export const SASL_MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

type SaslMechanism = (typeof SASL_MECHANISMS)[number]

/** The mechanisms of all listeners that have SASL, and the file of their users. */
export interface SaslSettings {
  readonly mechanisms: readonly SaslMechanism[]
  readonly users: string | undefined
}

/** What listeners are opened with, and the passwords by user. */
export interface Sasl {
  readonly options: SaslOptions
  readonly scram: readonly ScramMechanism[]
  readonly users: Readonly<Record<string, string>>
}

/**
 * Reads the users.
 * @throws OttlaError INVALID_ARGUMENT for a file that is not there, or holds no object of passwords by user. What is in
 * it is not shown.
 */
export const readSasl = async ({ mechanisms, users: path }: SaslSettings, files: Files): Promise<Sasl> => {
  const users = path === undefined ? {} : await readUsers(path, files)
  const scram = mechanisms.filter((mechanism) => mechanism !== 'PLAIN')
  return {
    options: {
      ...(mechanisms.includes('PLAIN') ? { plain: users } : {}),
      ...(scram.length === 0 ? {} : { scram }),
    },
    scram,
    users,
  }
}

/** Gives the users their passwords for SCRAM, which the log keeps in its way; those of others stay. */
export const setScramUsers = async (
  { admin }: Ottla,
  { scram, users }: Sasl,
  signal: AbortSignal,
): Promise<void> => {
  for (const mechanism of scram) {
    const alterations = Object.entries(users).map(([user, password]) => ({ user, mechanism, password }))
    if (alterations.length > 0) await admin.alterUserScramCredentials(alterations, { signal })
  }
}

const readUsers = async (path: string, files: Files): Promise<Readonly<Record<string, string>>> => {
  const bytes = await files.read(path)
  if (bytes === undefined) throw invalidArgument('--sasl-users', path, 'a file that is there')
  let users: unknown
  try {
    users = JSON.parse(readUtf8(bytes, 0, bytes.length))
  } catch {
    // The parser's message would show a piece of the file.
    throw noUsers(path)
  }
  if (!isUsers(users)) throw noUsers(path)
  return users
}

const isUsers = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(
    ([user, password]) => user !== '' && typeof password === 'string' && password !== '',
  )

const noUsers = (path: string): OttlaError =>
  new OttlaError(
    'INVALID_ARGUMENT',
    `--sasl-users ${path} holds no users; expected JSON, an object of passwords by user: { "alice": "..." }.`,
  )

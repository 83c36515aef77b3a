/**
 * What both sides of SCRAM (RFC 5802, RFC 7677) compute: from a password to the keys that a server keeps, and Kafka's
 * numbers for the mechanisms and bounds for their iterations.
 */
import { hashOf, hmacOf, pbkdf2, type HashName } from '../runtime/crypto.js'
import { toUtf8 } from '../runtime/bytes.js'

/** A SCRAM mechanism. */
export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** The mechanisms by the numbers that requests and records have for them. */
export const SCRAM_MECHANISMS: ReadonlyMap<number, ScramMechanism> = new Map([
  [1, 'SCRAM-SHA-256'],
  [2, 'SCRAM-SHA-512'],
])

/** The numbers by mechanism. */
export const SCRAM_TYPES: Readonly<Record<ScramMechanism, number>> = {
  'SCRAM-SHA-256': 1,
  'SCRAM-SHA-512': 2,
}

/** How often a password may be hashed, both inclusive, as in Kafka. */
export const SCRAM_ITERATIONS = { min: 4096, max: 16_384 } as const

/** How long the salts are that Ottla makes. */
export const SCRAM_SALT_BYTES = 24

/** What a server keeps of a password: enough to check who knows it, too little to pretend to. */
export interface ScramKeys {
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
}

const HASHES: Readonly<Record<ScramMechanism, HashName>> = {
  'SCRAM-SHA-256': 'SHA-256',
  'SCRAM-SHA-512': 'SHA-512',
}

/** The hash that `mechanism` is over. */
export const scramHash = (mechanism: ScramMechanism): HashName => HASHES[mechanism]

/** Hi(password, salt, i). As in Kafka the password is taken as it is, without SASLprep. */
export const saltPassword = (
  mechanism: ScramMechanism,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Uint8Array> => pbkdf2(scramHash(mechanism), toUtf8(password), salt, iterations)

/** The keys that a server keeps. */
export const scramKeysOf = async (
  mechanism: ScramMechanism,
  saltedPassword: Uint8Array,
): Promise<ScramKeys> => {
  const hash = scramHash(mechanism)
  const clientKey = await hmacOf(hash, saltedPassword, toUtf8('Client Key'))
  return {
    storedKey: await hashOf(hash, clientKey),
    serverKey: await hmacOf(hash, saltedPassword, toUtf8('Server Key')),
  }
}

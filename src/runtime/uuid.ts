/**
 * Kafka's Uuid in its text form: 16 bytes as 22 characters of unpadded URL-safe base64. A string is what
 * JavaScript can use as a Map key, and what every Kafka tool prints.
 */
import { invalidArgument } from './errors/ottla-error.js'
import type { Random } from './random.js'

/** A Kafka Uuid: 16 bytes as 22 characters of unpadded URL-safe base64, e.g. `MkU3OEVBNTcwNTJENDM2Qg`. */
export type Uuid = string

/** Kafka's reserved all-zero Uuid: "no id". */
export const ZERO_UUID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAA'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const CODE_OF = new Map(Array.from(ALPHABET, (character, code) => [character, code]))

/** The text form of the 16 bytes that start at `at`. */
export const uuidFromBytes = (bytes: Uint8Array, at = 0): Uuid => {
  let text = ''
  for (let i = 0; i < 16; i += 3) {
    const a = bytes[at + i] ?? 0
    const b = i + 1 < 16 ? (bytes[at + i + 1] ?? 0) : 0
    const c = i + 2 < 16 ? (bytes[at + i + 2] ?? 0) : 0
    text += ALPHABET.charAt(a >> 2) + ALPHABET.charAt(((a & 3) << 4) | (b >> 4))
    if (i + 1 < 16) text += ALPHABET.charAt(((b & 15) << 2) | (c >> 6)) + ALPHABET.charAt(c & 63)
  }
  return text
}

/**
 * Writes the 16 bytes of `uuid` into `target` at `at`.
 * @throws OttlaError INVALID_ARGUMENT when `uuid` is not 22 characters of URL-safe base64.
 */
export const uuidToBytes = (uuid: Uuid, target: Uint8Array, at = 0): void => {
  let bits = 0
  let pending = 0
  let written = 0
  for (const character of uuid) {
    const code = CODE_OF.get(character)
    if (code === undefined || uuid.length !== 22) throw invalidUuid(uuid)
    bits = (bits << 6) | code
    pending += 6
    if (pending >= 8) {
      pending -= 8
      target[at + written++] = (bits >> pending) & 0xff
    }
  }
  if (written !== 16) throw invalidUuid(uuid)
}

/** A fresh version-4 Uuid; never all zero, and never starting with `-`, which command lines take for an option. */
export const randomUuid = (random: Random): Uuid => {
  for (;;) {
    const bytes = random.bytes(16)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const uuid = uuidFromBytes(bytes)
    if (!uuid.startsWith('-')) return uuid
  }
}

const invalidUuid = (uuid: string) =>
  invalidArgument('uuid', uuid, 'a Kafka Uuid: 22 characters of URL-safe base64 without padding')

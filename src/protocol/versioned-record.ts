/**
 * Messages that carry their own version as a leading int16: the keys and values of coordinator records, and the
 * consumer protocol's subscriptions and assignments.
 */
import { readRecord, writeRecord } from './codec.js'
import { malformed, Reader } from './reader.js'
import type { RecordOf, RecordSchema } from './schema.js'
import { encoded } from './writer.js'

/** The version, then the message. */
export const encodeVersioned = <S extends RecordSchema>(
  schema: S,
  version: number,
  value: RecordOf<S>,
): Uint8Array =>
  encoded((writer) => {
    writer.int16(version)
    writeRecord(schema, version, value, writer)
  })

/**
 * The version that leads `bytes`; in the key of a coordinator record it says which record it is.
 * @throws OttlaError MALFORMED_MESSAGE when there are not even two bytes.
 */
export const leadingVersion = (bytes: Uint8Array): number => new Reader(bytes).int16()

/**
 * The message behind its version. A version newer than the newest declared is read as that, which is how the
 * consumer protocol stays readable across clients: later versions only add at the end.
 * @throws OttlaError MALFORMED_MESSAGE.
 */
export const decodeVersioned = <S extends RecordSchema>(schema: S, bytes: Uint8Array): RecordOf<S> => {
  const reader = new Reader(bytes)
  const version = reader.int16()
  const [oldest, newest] = schema.versions
  if (version < oldest) throw malformed(`${schema.name} has no version ${version}`)
  return readRecord(schema, Math.min(version, newest), reader)
}

/**
 * The frame around each record of the metadata log: three unsigned varints (the frame's version, which record it is,
 * and in which version), then the message.
 */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { readRecord, writeRecord } from './codec.js'
import { Reader } from './reader.js'
import type { RecordOf, RecordSchema } from './schema.js'
import { encoded } from './writer.js'

const FRAME_VERSION = 1

/** A metadata record whose frame has been read. */
export interface MetadataFrame {
  /** Which record it is: the `key` of its schema. */
  readonly key: number
  readonly version: number
  /** Stands at the message. */
  readonly reader: Reader
}

/** The framed bytes of a metadata record. */
export const encodeMetadataRecord = <S extends RecordSchema>(
  schema: S,
  version: number,
  value: RecordOf<S>,
): Uint8Array =>
  encoded((writer) => {
    writer.unsignedVarint(FRAME_VERSION)
    writer.unsignedVarint(schema.key)
    writer.unsignedVarint(version)
    writeRecord(schema, version, value, writer)
  })

/**
 * Reads the frame; the message follows with {@link readMetadataRecord}.
 * @throws OttlaError UNSUPPORTED_VERSION for a frame of another version, MALFORMED_MESSAGE for bytes that are none.
 */
export const openMetadataFrame = (bytes: Uint8Array): MetadataFrame => {
  const reader = new Reader(bytes)
  const frameVersion = reader.unsignedVarint()
  if (frameVersion !== FRAME_VERSION) {
    throw new OttlaError(
      'UNSUPPORTED_VERSION',
      `A metadata record has frame version ${frameVersion}; known is ${FRAME_VERSION}.`,
    )
  }
  return { key: reader.unsignedVarint(), version: reader.unsignedVarint(), reader }
}

/** The message in `frame`, which is of `schema`. */
export const readMetadataRecord = <S extends RecordSchema>(schema: S, frame: MetadataFrame): RecordOf<S> =>
  readRecord(schema, frame.version, frame.reader)

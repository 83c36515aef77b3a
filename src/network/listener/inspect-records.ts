/**
 * Looks into the batches that a client sends. The log checks a batch's header and CRC; that its records are what the
 * header says is taken on trust from clients in this process, and found out here for all others: a batch that nobody
 * could read would stop every consumer of its partition.
 */
import { produce } from '../../protocol/api/produce.js'
import type { Api, Fields, Message, RequestOf } from '../../protocol/schema.js'
import { openBatch, type RecordCursor } from '../../record/decode.js'
import type { BatchHeader } from '../../record/header.js'
import { validateBatch, splitBatches } from '../../record/validate.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/** What is wrong with a `records` field of a request, by that field. */
export type RecordErrors = ReadonlyMap<readonly Uint8Array[], OttlaError>

/** How much a batch may grow when it is uncompressed, whatever its size. */
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024

/** What is wrong with the records in `body`; undefined when nothing is, a promise when some are compressed. */
export const inspectRecords = (
  api: Api,
  body: Message<Fields>,
): RecordErrors | undefined | Promise<RecordErrors | undefined> => {
  if (api.key !== produce.key) return undefined
  const errors = new Map<readonly Uint8Array[], OttlaError>()
  const pending: Promise<void>[] = []
  for (const { partitionData } of (body as RequestOf<typeof produce>).topicData) {
    for (const { records } of partitionData) {
      if (records === null) continue
      const found = inspect(records)
      if (found instanceof Promise) {
        pending.push(
          found.then((error) => {
            if (error !== undefined) errors.set(records, error)
          }),
        )
      } else if (found !== undefined) errors.set(records, found)
    }
  }
  const result = (): RecordErrors | undefined => (errors.size === 0 ? undefined : errors)
  return pending.length === 0 ? result() : Promise.all(pending).then(result)
}

const inspect = (
  records: readonly Uint8Array[],
): OttlaError | undefined | Promise<OttlaError | undefined> => {
  try {
    for (const batch of splitBatches(records)) {
      // The CRC first: what is damaged is not decompressed.
      refusePatched(validateBatch(batch))
      const cursor = openBatch(batch, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES })
      if (cursor instanceof Promise) return cursor.then(walk).catch(errorOf)
      walk(cursor)
    }
    return undefined
  } catch (error) {
    return errorOf(error)
  }
}

/** Offsets and append times are a broker's to give. In this process a batch that is sent again has them already. */
const refusePatched = ({ baseOffset, timestampType }: BatchHeader): void => {
  if (baseOffset !== 0) {
    throw new OttlaError('INVALID_RECORD', `The batch has the base offset ${baseOffset}; expected 0.`)
  }
  if (timestampType === 'LogAppendTime') {
    throw new OttlaError('INVALID_TIMESTAMP', 'The batch claims LogAppendTime; expected CreateTime.')
  }
}

/** Every record and every header once; what does not fit throws. */
const walk = (cursor: RecordCursor): undefined => {
  while (cursor.next()) readHeaders(cursor)
}

/** Headers are decoded where they are asked for, and found wrong there. */
const readHeaders = ({ headers }: RecordCursor): number => headers.length

const errorOf = (error: unknown): OttlaError => {
  if (OttlaError.is(error)) return error
  throw error
}

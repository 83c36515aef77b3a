/** Batches as they are compared: byte for byte where nothing changed them, by what compaction must have made of them elsewhere. */
import assert from 'node:assert/strict'
import { openBatch } from '../../../src/record/decode.js'
import type { BatchHeader } from '../../../src/record/header.js'
import { validateBatch } from '../../../src/record/validate.js'
import { readUtf8 } from '../../../src/runtime/bytes.js'
import type { NaiveBatch, NaiveRecord } from './naive-compactor.js'

/** The records of a batch, as they can be compared. */
export const recordsIn = async (bytes: Uint8Array): Promise<NaiveRecord[]> => {
  const cursor = await openBatch(bytes)
  const records: NaiveRecord[] = []
  const text = (of: Uint8Array | null): string | null => of && readUtf8(of, 0, of.length)
  while (cursor.next()) {
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: cursor.header.isControl ? Buffer.from(cursor.key!).toString('hex') : text(cursor.key),
      value: cursor.header.isControl ? Buffer.from(cursor.value!).toString('hex') : text(cursor.value),
      headers: JSON.stringify(cursor.headers.map(({ key, value }) => [key, text(value)])),
    })
  }
  return records
}

/** The rules of a batch that compaction has written: all of the format, and what follows from what it was. */
export const expectBatch = async (bytes: Uint8Array, expected: NaiveBatch): Promise<void> => {
  const header: BatchHeader = validateBatch(bytes)
  const { records, original, horizon } = expected
  assert.deepEqual(await recordsIn(bytes), records)
  if (original !== undefined) {
    assert.deepEqual(new Uint8Array(bytes), new Uint8Array(original))
    return
  }
  assert.deepEqual(
    {
      base: header.baseOffset,
      last: header.lastOffset,
      producer: header.producerId,
      epoch: header.producerEpoch,
      sequence: header.baseSequence,
      isControl: header.isControl,
      isTransactional: header.isTransactional,
      recordCount: header.recordCount,
      horizon: header.deleteHorizonMs,
      maxTimestamp: header.maxTimestamp,
      baseTimestamp: header.baseTimestamp,
      leaderEpoch: header.partitionLeaderEpoch,
    },
    {
      base: expected.base,
      last: expected.last,
      producer: expected.producer,
      epoch: expected.epoch,
      sequence: expected.sequence,
      isControl: expected.isControl,
      isTransactional: expected.transaction !== undefined,
      recordCount: records.length,
      horizon,
      maxTimestamp: expected.maxTimestamp,
      baseTimestamp: horizon >= 0 ? horizon : (records[0]?.timestamp ?? -1),
      leaderEpoch: expected.leaderEpoch ?? 0,
    },
  )
  if (records.length === 0) assert.equal(bytes.length, 61)
}

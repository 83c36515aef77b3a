/** All that can be seen of a log, compared with what the naive one says. */
import assert from 'node:assert/strict'
import type { PartitionLog } from '../../../src/log/partition-log.js'
import { BatchBuilder } from '../../../src/record/encode.js'
import { encodeControlBatch } from '../../../src/record/control.js'
import { baseOffsetOf } from '../../../src/record/header.js'
import { OttlaError } from '../../../src/runtime/errors/ottla-error.js'
import { toUtf8 } from '../../../src/runtime/bytes.js'
import { expectBatch } from '../compaction/expected-batch.js'
import { sequenceAfter, type ModelProducer, type NaivePartitionLog } from './naive-partition-log.js'

type Isolation = 'read_uncommitted' | 'read_committed'

/** The code that `work` is refused with; undefined when it is not. */
export const refusal = async (work: Promise<unknown>): Promise<string | undefined> => {
  try {
    await work
    return undefined
  } catch (error) {
    if (!OttlaError.is(error)) throw error
    return error.code
  }
}

/** Reads from both, and compares batches, aborted transactions and the three marks. */
export const compareRead = async (
  log: PartitionLog,
  model: NaivePartitionLog,
  from: number,
  maxBytes: number,
  isolation: Isolation,
): Promise<void> => {
  const where = `a read from ${from} of ${maxBytes} bytes, ${isolation}`
  if (from < model.start || from > model.end) {
    assert.equal(await refusal(log.read(from, maxBytes, { isolation })), 'OFFSET_OUT_OF_RANGE', where)
    return
  }
  const isCommitted = isolation === 'read_committed'
  const limit = isCommitted ? model.lastStableOffset : model.end
  const read = await log.read(from, maxBytes, { isolation })
  const batches = from >= limit ? [] : model.readable(from, maxBytes, limit)
  assert.deepEqual(
    read.batches.map(baseOffsetOf),
    batches.map(({ base }) => base),
    where,
  )
  const to = (batches.at(-1)?.last ?? from - 1) + 1
  const aborted = model.abortedIn(from, to)
  const isVoid = (one: { producerId: number; firstOffset: number }): boolean =>
    model.aborted.some(
      ({ producerId, firstOffset, lastOffset }) =>
        producerId === one.producerId && firstOffset === one.firstOffset && model.voided.has(lastOffset),
    )
  assert.deepEqual(
    read.abortedTransactions?.filter((one) => !isVoid(one)) ?? null,
    isCommitted
      ? aborted
          .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
          .filter((one) => !isVoid(one))
      : null,
    where,
  )
  assert.deepEqual(
    [read.startOffset, read.highWatermark, read.lastStableOffset],
    [model.start, model.end, model.lastStableOffset],
    where,
  )
}

/** Compares what can be looked at without changing anything. */
export const compareVisible = async (log: PartitionLog, model: NaivePartitionLog): Promise<void> => {
  assert.equal(log.failure, undefined)
  assert.deepEqual(
    { start: log.startOffset, end: log.endOffset, high: log.highWatermark, stable: log.lastStableOffset },
    { start: model.start, end: model.end, high: model.end, stable: model.lastStableOffset },
  )
  const { batches } = await log.read(model.start, Number.MAX_SAFE_INTEGER)
  assert.deepEqual(
    batches.map(baseOffsetOf),
    model.batches.map(({ base }) => base),
  )
  for (const [place, bytes] of batches.entries()) {
    const expected = model.batches[place]!
    await expectBatch(bytes, expected)
    // What a codec makes of the records that compaction left is not for the model to say.
    if (expected.sizeBytes < 0) model.batches[place] = { ...expected, sizeBytes: bytes.length }
  }
  assert.equal(log.sizeBytes, model.sizeBytes)
  assert.equal(log.activeSegmentOffset, model.segment.base)
  assert.equal(log.lastCompaction?.cleanedTo ?? 0, model.cleanedTo, 'compacted up to')
  await compareReads(log, model)
  await compareTimes(log, model)
  const latest = model.epochs.at(-1)?.epoch ?? -1
  for (let epoch = -1; epoch <= latest + 1; epoch++) {
    assert.deepEqual(log.endOffsetForEpoch(epoch), model.epochEnd(epoch), `the end of epoch ${epoch}`)
  }
  assert.equal(log.inspect().openTransactions, model.open.size, 'open transactions')
}

/** Reads from a few places, in ways that differ from place to place. */
const compareReads = async (log: PartitionLog, model: NaivePartitionLog): Promise<void> => {
  const length = model.end - model.start
  const step = Math.max(1, Math.floor(length / 5))
  for (let from = model.start; from <= model.end; from += step) {
    const maxBytes = from % 2 === 0 ? 1 : 250
    await compareRead(log, model, from, maxBytes, from % 3 === 0 ? 'read_uncommitted' : 'read_committed')
  }
  await compareRead(log, model, model.start, 1e9, 'read_committed')
  await compareRead(log, model, model.start - 1, 1, 'read_uncommitted')
  await compareRead(log, model, model.end + 1, 1, 'read_committed')
}

/** Searches by time, and finds the first record that is there; markers are found as well, as in Kafka. */
const compareTimes = async (log: PartitionLog, model: NaivePartitionLog): Promise<void> => {
  const records = model.batches.flatMap((batch) =>
    batch.records
      .filter(({ offset, timestamp }) => offset >= model.start && timestamp >= 0)
      .map(({ offset, timestamp }) => ({ offset, timestamp, leaderEpoch: batch.leaderEpoch })),
  )
  const times = records.map(({ timestamp }) => timestamp).sort((a, b) => a - b)
  const largest = times.at(-1) ?? -1
  assert.deepEqual(
    await log.maxTimestamp(),
    records.find(({ timestamp }) => timestamp === largest),
  )
  for (const wanted of [0, times[times.length >> 1] ?? 5, largest, largest + 1]) {
    if (wanted < 0) continue
    assert.deepEqual(
      await log.offsetForTimestamp(wanted),
      records.find(({ timestamp }) => timestamp >= wanted),
      `the first record at ${wanted}`,
    )
  }
}

const oneRecord = (
  producerId: number,
  producerEpoch: number,
  baseSequence: number,
  isTransactional: boolean,
): Uint8Array => {
  const builder = new BatchBuilder()
  builder.append(1, toUtf8('probe'), toUtf8('probe'))
  return builder.build({ producerId, producerEpoch, baseSequence, isTransactional })
}

/** Asks the log what it remembers of its producers: retries, gaps and zombies, none of which change anything. */
export const compareProducers = async (log: PartitionLog, model: NaivePartitionLog): Promise<void> => {
  assert.equal(log.inspect().producers, model.known.size, 'producers remembered')
  for (const [id, producer] of model.known) {
    for (const batch of producer.batches) {
      const { baseOffset, lastOffset, duplicate } = await log.append(batch.sent.slice())
      assert.deepEqual(
        { baseOffset, lastOffset, duplicate },
        { baseOffset: batch.base, lastOffset: batch.last, duplicate: true },
        `P1: a retry of producer ${id}`,
      )
    }
    for (const sent of probesOf(id, producer, model.open.has(id))) {
      const expected = model.answer(sent)
      const code = expected.kind === 'refused' ? expected.code : 'not at all'
      assert.equal(await refusal(log.append(sent)), code, `P2, P3: of producer ${id}`)
    }
    if (producer.coordinatorEpoch > 0) {
      const coordinatorEpoch = producer.coordinatorEpoch - 1
      const zombie = encodeControlBatch({
        type: 'abort',
        producerId: id,
        producerEpoch: producer.epoch,
        coordinatorEpoch,
        timestamp: 1,
      })
      const code = await refusal(log.append(zombie, { origin: 'coordinator' }))
      assert.equal(code, 'TRANSACTION_COORDINATOR_FENCED', `T2: of producer ${id}`)
    }
  }
}

const probesOf = (id: number, producer: ModelProducer, isOpen: boolean): Uint8Array[] => {
  const { epoch, batches } = producer
  const last = batches.at(-1)
  const next = last === undefined ? 0 : sequenceAfter(last.lastSequence, 1)
  const probes = [
    oneRecord(id, epoch, sequenceAfter(next, 1), isOpen), // a gap
    oneRecord(id, epoch + 1, 1, isOpen), // a new epoch begins at 0
  ]
  if (epoch > 0) probes.push(oneRecord(id, epoch - 1, next, isOpen)) // a zombie
  if (isOpen) probes.push(oneRecord(id, epoch, next, false)) // outside of its transaction
  return probes
}

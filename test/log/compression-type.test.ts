/** compression.type: what the broker compresses again, in the order of the calls and without changing a record. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { LogConfig } from '../../src/log/log-config.js'
import { openBatch } from '../../src/record/decode.js'
import { BatchBuilder, encodeBatch, type BatchOptions } from '../../src/record/encode.js'
import { COMPRESSION_TYPES, readHeader, type CompressionType } from '../../src/record/header.js'
import { validateBatch } from '../../src/record/validate.js'
import { toUtf8 } from '../../src/runtime/bytes.js'
import { batchOf, clockAt, KEEP_ALL, memoryPartition, openLog, produced } from '../support/log-batches.js'

const compressed = (type: CompressionType, values: readonly string[], options: BatchOptions = {}) => {
  const builder = new BatchBuilder()
  values.forEach((value, i) =>
    builder.append(100 + i, i % 2 === 0 ? toUtf8(`key ${i}`) : null, toUtf8(value), [
      { key: 'h', value: toUtf8(String(i)) },
    ]),
  )
  return builder.buildCompressed(type, options)
}

const recordsOf = async (batch: Uint8Array) => {
  const cursor = await openBatch(batch)
  const records = []
  while (cursor.next()) {
    const { offset, timestamp, key, value, headers } = cursor
    records.push([offset, timestamp, key && [...key], value && [...value], headers.map(({ key: k }) => k)])
  }
  return records
}

const TARGETS = ['producer', ...COMPRESSION_TYPES] as const

describe('compression.type', () => {
  for (const target of TARGETS) {
    for (const source of COMPRESSION_TYPES) {
      it(`${target}: a batch in ${source} keeps its records and all that its header says`, async () => {
        const batch = await compressed(source, ['one', 'two', 'three'], {
          producerId: 7,
          producerEpoch: 1,
          baseSequence: 4,
        })
        const before = readHeader(batch)
        const log = await openLog(await memoryPartition(), { compressionType: target })
        const records = await recordsOf(batch.slice())
        await log.append(batch)
        const [stored] = (await log.read(0, 1e6)).batches
        const after = validateBatch(stored!)
        expect(after.compression).toBe(target === 'producer' ? source : target)
        expect(await recordsOf(stored!)).toEqual(records)
        const { lastOffset, baseTimestamp, maxTimestamp, producerId, producerEpoch, baseSequence } = before
        expect(after).toMatchObject({ lastOffset, baseTimestamp, maxTimestamp, producerId, producerEpoch })
        expect(after.baseSequence).toBe(baseSequence)
      })
    }
  }

  test.prop(
    [
      fc.array(
        fc.record({ count: fc.integer({ min: 1, max: 4 }), type: fc.constantFrom(...COMPRESSION_TYPES) }),
        {
          minLength: 1,
          maxLength: 30,
        },
      ),
    ],
    { numRuns: 50 },
  )('L1: offsets follow the calls, whatever has to be compressed first', async (batches) => {
    const log = await openLog(await memoryPartition(), { compressionType: 'gzip' })
    const encoded = await Promise.all(
      batches.map(({ count, type }, i) =>
        compressed(
          type,
          Array.from({ length: count }, () => `batch ${i}`),
        ),
      ),
    )
    const results = await Promise.all(encoded.map((batch) => log.append(batch)))
    let offset = 0
    batches.forEach(({ count }, i) => {
      expect(results[i]).toMatchObject({ baseOffset: offset, lastOffset: offset + count - 1 })
      offset += count
    })
    const { batches: stored } = await log.read(0, 1e7)
    expect(stored.every((batch) => validateBatch(batch).compression === 'gzip')).toBe(true)
  })

  it('P1, P2: sequences are checked at the batch in its turn; a retry is known while the first one waits', async () => {
    const log = await openLog(await memoryPartition(), { compressionType: 'gzip' })
    const [first, second, again] = await Promise.all([
      log.append(produced(1, 0, 0, 2)),
      log.append(produced(1, 0, 2, 1)),
      log.append(produced(1, 0, 0, 2)),
    ])
    expect(first).toMatchObject({ baseOffset: 0, duplicate: false })
    expect(second).toMatchObject({ baseOffset: 2, duplicate: false })
    expect(again).toMatchObject({ baseOffset: 0, lastOffset: 1, duplicate: true })
    await expect(log.append(produced(1, 0, 9, 1))).rejects.toMatchObject({
      code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
    })
    expect(log.endOffset).toBe(3)
  })

  it('what does not decompress is refused, and what waited behind it goes on', async () => {
    const log = await openLog(await memoryPartition(), { compressionType: 'gzip' })
    const bad = await compressed('zstd', ['x'])
    bad.fill(0xff, 61)
    const { setProducer } = await import('../../src/record/header.js')
    setProducer(bad, -1, -1, -1) // computes the CRC anew
    const results = await Promise.allSettled([log.append(bad), log.append(batchOf(1))])
    expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'CORRUPT_MESSAGE' } })
    expect(results[1]).toMatchObject({ status: 'fulfilled', value: { baseOffset: 0 } })
  })

  it('the size that counts is the one that is stored', async () => {
    const zeros = encodeBatch([{ timestamp: 1, key: null, value: new Uint8Array(5000), headers: [] }])
    const packed = new BatchBuilder()
    packed.append(1, null, new Uint8Array(5000))
    const small = await packed.buildCompressed('gzip')
    const config: Partial<LogConfig> = { compressionType: 'none', maxMessageBytes: 1000 }
    const log = await openLog(await memoryPartition(), config)
    await expect(log.append(small)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    await expect(log.append(zeros)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
  })

  it('a change counts for the calls after it, also for those that come while others wait', async () => {
    const log = await openLog(await memoryPartition(), { compressionType: 'gzip' })
    const first = log.append(batchOf(1))
    log.updateConfig({ ...KEEP_ALL, compressionType: 'producer' })
    await Promise.all([first, log.append(batchOf(1))])
    const { batches } = await log.read(0, 1e6)
    expect(batches.map((batch) => readHeader(batch).compression)).toEqual(['gzip', 'none'])
  })
})

describe('rules for single records', () => {
  for (const type of COMPRESSION_TYPES) {
    it(`cleanup.policy compact asks for keys, in ${type} too`, async () => {
      const log = await openLog(await memoryPartition(), { compacts: true })
      await expect(log.append(await compressed(type, ['key', 'no key']))).rejects.toMatchObject({
        code: 'INVALID_RECORD',
      })
      await expect(log.append(await compressed(type, ['key']))).resolves.toMatchObject({ baseOffset: 0 })
    })

    it(`message.timestamp.before.max.ms holds for every record, in ${type} too`, async () => {
      const clock = clockAt(1100)
      const bounds = { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 100 }
      const log = await openLog(await memoryPartition(), bounds, { clock })
      const build = async (timestamps: readonly number[]) => {
        const builder = new BatchBuilder()
        for (const timestamp of timestamps) builder.append(timestamp, null, null)
        return builder.buildCompressed(type)
      }
      await expect(log.append(await build([500, 99, 600]))).rejects.toMatchObject({
        code: 'INVALID_TIMESTAMP',
      })
      await expect(log.append(await build([500, 1201]))).rejects.toMatchObject({ code: 'INVALID_TIMESTAMP' })
      await expect(log.append(await build([100, 1200]))).resolves.toMatchObject({ baseOffset: 0 })
    })
  }
})

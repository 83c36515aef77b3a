import { describe, expect, it } from 'vitest'
import { openBatch } from '../../src/record/decode.js'
import { BatchBuilder } from '../../src/record/encode.js'
import { encodeControlBatch } from '../../src/record/control.js'
import { baseOffsetOf, lastOffsetOf, leaderEpochOf, readHeader } from '../../src/record/header.js'
import { validateBatch } from '../../src/record/validate.js'
import { deferred, type Deferred } from '../../src/runtime/abort.js'
import { toUtf8 } from '../../src/runtime/bytes.js'
import { OttlaError } from '../../src/runtime/errors/ottla-error.js'
import type { PartitionStorage } from '../../src/storage/contract.js'
import { batchOf, clockAt, KEEP_ALL, memoryPartition, openLog, produced } from '../support/log-batches.js'

const TURN = () => new Promise<void>((resolve) => setImmediate(resolve))

/** A partition whose appends take effect at once, but are acknowledged when the test says so. */
const heldBack = (inner: PartitionStorage) => {
  const held: Deferred<undefined>[] = []
  const storage: PartitionStorage = Object.create(inner, {
    append: {
      value: async (...args: Parameters<PartitionStorage['append']>) => {
        const gate = deferred<undefined>()
        held.push(gate)
        const written = inner.append(...args)
        await gate.promise
        await written
      },
    },
    state: { get: () => inner.state },
  })
  for (const name of [
    'read',
    'infos',
    'readBlob',
    'writeBlobs',
    'truncatePrefix',
    'truncateSuffix',
    'findByTimestamp',
  ] as const) {
    Object.defineProperty(storage, name, {
      value: (inner[name] as (...args: unknown[]) => unknown).bind(inner),
    })
  }
  return { storage, held }
}

describe('append', () => {
  it('L1: assigns offsets in the order of the calls, without waiting for one to be stored', async () => {
    const log = await openLog(await memoryPartition())
    const results = await Promise.all([2, 1, 3].map((count) => log.append(batchOf(count))))
    expect(results.map(({ baseOffset, lastOffset }) => [baseOffset, lastOffset])).toEqual([
      [0, 1],
      [2, 2],
      [3, 5],
    ])
    const { batches } = await log.read(0, 1e6)
    expect(batches.map((batch) => [baseOffsetOf(batch), lastOffsetOf(batch)])).toEqual([
      [0, 1],
      [2, 2],
      [3, 5],
    ])
    for (const batch of batches) validateBatch(batch)
  })

  it('H1, H4: nothing is readable before it is stored, and acknowledged in order whatever the storage does', async () => {
    const { storage, held } = heldBack(await memoryPartition())
    const log = await openLog(storage)
    const done: number[] = []
    void log.append(batchOf(2)).then(({ lastOffset }) => {
      expect(log.highWatermark).toBeGreaterThan(lastOffset)
      done.push(lastOffset)
    })
    void log.append(batchOf(1)).then(({ lastOffset }) => done.push(lastOffset))
    expect([log.endOffset, log.highWatermark]).toEqual([3, 0])
    held[1]!.resolve(undefined)
    await TURN()
    expect([log.highWatermark, done]).toEqual([0, []])
    expect((await log.read(0, 1e6)).batches).toEqual([])
    held[0]!.resolve(undefined)
    await TURN()
    expect([log.highWatermark, done]).toEqual([3, [1, 2]])
    expect((await log.read(0, 1e6)).batches).toHaveLength(2)
    // What is assigned but not stored is cut off a read that reaches into it.
    void log.append(batchOf(1))
    expect((await log.read(0, 1e6)).batches).toHaveLength(2)
    expect((await log.read(3, 1e6)).batches).toEqual([])
  })

  it('L2: refuses a batch from outside whose CRC does not hold, and assigns nothing', async () => {
    const log = await openLog(await memoryPartition())
    const bad = batchOf(1)
    bad[bad.length - 1]! ^= 1
    await expect(log.append(bad)).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' })
    expect(log.endOffset).toBe(0)
  })

  it('refuses what no client may write', async () => {
    const log = await openLog(await memoryPartition(), { maxMessageBytes: 100 })
    const marker = () =>
      encodeControlBatch({
        type: 'commit',
        coordinatorEpoch: 0,
        producerId: 1,
        producerEpoch: 0,
        timestamp: 1,
      })
    await expect(log.append(marker())).rejects.toMatchObject({ code: 'INVALID_RECORD' })
    await expect(log.append(marker(), { origin: 'coordinator' })).resolves.toMatchObject({ baseOffset: 0 })
    const large = batchOf(10)
    const error: unknown = await log.append(large).catch((e: unknown) => e)
    expect(OttlaError.is(error, 'MESSAGE_TOO_LARGE')).toBe(true)
    expect(String(error)).toContain(String(large.length))
    expect(String(error)).toContain('100')
    const two = new Uint8Array([...batchOf(1), ...batchOf(1)])
    await expect((await openLog(await memoryPartition())).append(two)).rejects.toMatchObject({
      code: 'CORRUPT_MESSAGE',
    })
  })

  it('refuses timestamps outside the bounds, of any record', async () => {
    const clock = clockAt(1_000_000)
    const config = { timestampBeforeMaxMs: 1000, timestampAfterMaxMs: 500 }
    const log = await openLog(await memoryPartition(), config, { clock })
    const invalid = { code: 'INVALID_TIMESTAMP' }
    await expect(log.append(batchOf(1, 1_000_501))).rejects.toMatchObject(invalid)
    await expect(log.append(batchOf(1, 998_999))).rejects.toMatchObject(invalid)
    await expect(log.append(batchOf(3, [1_000_000, 998_999, 1_000_000]))).rejects.toMatchObject(invalid)
    await expect(log.append(batchOf(3, [1_000_500, 999_000, -1]))).resolves.toMatchObject({ baseOffset: 0 })
  })

  it('sets the append time when the topic asks for it', async () => {
    const clock = clockAt(7777)
    const log = await openLog(await memoryPartition(), { timestampType: 'LogAppendTime' }, { clock })
    await expect(log.append(batchOf(2, 5))).resolves.toMatchObject({ logAppendTime: 7777 })
    const [batch] = (await log.read(0, 1)).batches
    expect(validateBatch(batch!)).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: 7777 })
    expect(await log.offsetForTimestamp(7777)).toMatchObject({ offset: 0, timestamp: 7777 })
  })

  it('L8: after a storage error it acknowledges nothing until it was reopened', async () => {
    const inner = await memoryPartition()
    const { storage, held } = heldBack(inner)
    const log = await openLog(storage)
    const all = [log.append(batchOf(1)), log.append(batchOf(1)), log.append(batchOf(1))]
    held[0]!.resolve(undefined)
    await all[0]
    held[1]!.reject(new Error('disk full'))
    held[2]!.resolve(undefined)
    const outcomes = await Promise.allSettled(all)
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect(log.failure).toMatchObject({ code: 'STORAGE_FAILED' })
    expect(log.highWatermark).toBe(1)
    await expect(log.append(batchOf(1))).rejects.toBe(log.failure)
    await expect(log.read(0, 1)).rejects.toBe(log.failure)
    await log.close()
    expect(await inner.readBlob('checkpoint')).toBeUndefined()
    const reopened = await openLog(inner)
    expect(reopened.failure).toBeUndefined()
    expect(reopened.endOffset).toBeGreaterThanOrEqual(1)
  })
})

describe('idempotence', () => {
  it('P1: a retry while the first is in flight waits for it and gets its offsets', async () => {
    const { storage, held } = heldBack(await memoryPartition())
    const log = await openLog(storage)
    const first = log.append(produced(9, 0, 0, 3))
    let retried = false
    const retry = log.append(produced(9, 0, 0, 3)).then((result) => {
      retried = true
      return result
    })
    await TURN()
    expect(retried).toBe(false)
    held[0]!.resolve(undefined)
    expect(await first).toMatchObject({ baseOffset: 0, lastOffset: 2, duplicate: false })
    expect(await retry).toMatchObject({ baseOffset: 0, lastOffset: 2, duplicate: true })
    expect(log.endOffset).toBe(3)
  })

  it('P4: retries are known after a clean stop, after an unclean one, and after truncation', async () => {
    const storage = await memoryPartition()
    let log = await openLog(storage)
    for (let i = 0; i < 8; i++) await log.append(produced(9, 0, i))
    const knows = async (last: number): Promise<void> => {
      for (let i = last; i > last - 5; i--) {
        expect(await log.append(produced(9, 0, i))).toMatchObject({ baseOffset: i, duplicate: true })
      }
      const gap = log.append(produced(9, 0, last + 2))
      await expect(gap).rejects.toMatchObject({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
    }
    log = await openLog(storage)
    await knows(7)
    await log.close()
    log = await openLog(storage)
    expect(log.recovery).toMatchObject({ checkpoint: 'sound', validatedBytes: 0 })
    await knows(7)
    await log.truncateTo(6)
    await knows(5)
    log = await openLog(storage)
    await knows(5)
  })
})

describe('producers that were idle for too long', () => {
  it('P4: stay forgotten after a clean stop', async () => {
    const storage = await memoryPartition()
    const clock = clockAt(1000)
    const config = { producerIdExpirationMs: 100 }
    const log = await openLog(storage, config, { clock })
    await log.append(produced(7, 1, 0))
    await log.checkpoint()
    clock.time += 100
    await log.applyRetention(clock.time)
    expect(log.inspect().producers).toBe(0)
    await log.close()
    expect((await openLog(storage, config, { clock })).inspect().producers).toBe(0)
  })
})

describe('read', () => {
  it('returns whole batches within the budget, the first whatever its size', async () => {
    const log = await openLog(await memoryPartition())
    for (let i = 0; i < 4; i++) await log.append(batchOf(2))
    const size = batchOf(2).length
    const bases = async (from: number, maxBytes: number): Promise<number[]> =>
      (await log.read(from, maxBytes)).batches.map(baseOffsetOf)
    expect(await bases(0, 0)).toEqual([0])
    expect(await bases(0, 2 * size)).toEqual([0, 2])
    expect(await bases(3, 2 * size - 1)).toEqual([2])
    expect(await bases(7, 1e9)).toEqual([6])
    expect(await bases(8, 1e9)).toEqual([])
  })

  it('R3: below the start and beyond the end is OFFSET_OUT_OF_RANGE, with the range', async () => {
    const log = await openLog(await memoryPartition())
    await log.append(batchOf(5))
    await log.append(batchOf(5))
    await log.deleteRecordsBefore(7)
    for (const offset of [6, 11, -1, NaN]) {
      const error: unknown = await log.read(offset, 1).catch((e: unknown) => e)
      expect(error).toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
      expect(String(error)).toMatch(/7 to 10/)
    }
    expect((await log.read(7, 1)).batches.map(baseOffsetOf)).toEqual([5])
  })

  it('notifies after the high watermark moved, until unsubscribed', async () => {
    const log = await openLog(await memoryPartition())
    let seen = -1
    const off = log.onAdvance(() => (seen = log.highWatermark))
    await log.append(batchOf(2))
    await TURN()
    expect(seen).toBe(2)
    off()
    await log.append(batchOf(2))
    await TURN()
    expect(seen).toBe(2)
  })
})

describe('retention', () => {
  it('R2: never drops what is not below the high watermark, however old and large', async () => {
    const { storage, held } = heldBack(await memoryPartition())
    const log = await openLog(storage, { retentionMs: 0, retentionBytes: 0 }, { clock: clockAt(1000) })
    const first = log.append(batchOf(2, 1))
    const second = log.append(batchOf(2, 1))
    held[0]!.resolve(undefined)
    await first
    expect(await log.applyRetention(1000)).toBe(batchOf(2).length)
    expect([log.startOffset, log.highWatermark]).toEqual([2, 2])
    await expect(log.deleteRecordsBefore(3)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    held[1]!.resolve(undefined)
    await second
    expect(await log.deleteRecordsBefore(-1)).toBe(4)
  })
})

describe('retention by size', () => {
  it('R1: keeps at least retention.bytes, to the byte', async () => {
    const log = await openLog(await memoryPartition())
    const size = batchOf(1).length
    for (let i = 0; i < 4; i++) await log.append(batchOf(1))
    for (const [retentionBytes, start] of [
      [3 * size + 1, 0],
      [3 * size, 1],
      [size + 1, 2],
      [0, 4],
    ] as const) {
      log.updateConfig({ ...KEEP_ALL, retentionBytes })
      await log.applyRetention(0)
      expect(log.startOffset).toBe(start)
    }
  })
})

describe('epochs', () => {
  it('L6: batches carry the epoch of their leader, and a lower one than the log has is refused', async () => {
    const storage = await memoryPartition()
    const first = await openLog(storage, {}, { leaderEpoch: 3 })
    await first.append(batchOf(2))
    await first.close()
    const second = await openLog(storage, {}, { leaderEpoch: 5 })
    await second.append(batchOf(1))
    expect((await second.read(0, 1e6)).batches.map(leaderEpochOf)).toEqual([3, 5])
    expect(second.endOffsetForEpoch(3)).toEqual({ epoch: 3, endOffset: 2 })
    expect(second.endOffsetForEpoch(4)).toEqual({ epoch: 3, endOffset: 2 })
    expect(second.endOffsetForEpoch(5)).toEqual({ epoch: 5, endOffset: 3 })
    expect(second.endOffsetForEpoch(6)).toEqual({ epoch: -1, endOffset: -1 })
    await expect(openLog(storage, {}, { leaderEpoch: 4 })).rejects.toMatchObject({
      code: 'FENCED_LEADER_EPOCH',
    })
    // L7: the epoch goes with its batches.
    await second.truncateTo(2)
    expect(second.endOffsetForEpoch(5)).toEqual({ epoch: -1, endOffset: -1 })
    expect((await openLog(storage)).leaderEpoch).toBe(3)
  })
})

describe('search by time', () => {
  it('finds the exact record, in compressed batches too', async () => {
    const log = await openLog(await memoryPartition())
    await log.append(batchOf(3, [10, 30, 20]))
    const builder = new BatchBuilder()
    for (const timestamp of [25, 60, 40]) builder.append(timestamp, null, toUtf8('x'.repeat(100)))
    await log.append(await builder.buildCompressed('gzip'))
    expect(readHeader((await log.read(3, 1)).batches[0]!).compression).toBe('gzip')
    await log.append(batchOf(2, [60, 50]))
    const offsets = [0, 11, 31, 26, 61].map(async (time) => (await log.offsetForTimestamp(time))?.offset)
    expect(await Promise.all(offsets)).toEqual([0, 1, 4, 1, undefined])
    expect(await log.maxTimestamp()).toEqual({ offset: 4, timestamp: 60, leaderEpoch: 0 })
    await log.deleteRecordsBefore(5)
    expect(await log.maxTimestamp()).toMatchObject({ offset: 6, timestamp: 60 })
    expect(await log.offsetForTimestamp(0)).toMatchObject({ offset: 5, timestamp: 40 })
    await log.deleteRecordsBefore(7)
    expect(await log.maxTimestamp()).toMatchObject({ offset: 7, timestamp: 50 })
    await log.deleteRecordsBefore(8)
    expect(await log.maxTimestamp()).toBeUndefined()
  })

  it('agrees with a scan on the largest timestamp', async () => {
    for (const times of [[5], [1, 2, 3], [9, 1, 1], [3, 2 ** 53 - 1, 4], [-1, -1], [0, 0], [7, 7, 1, 7]]) {
      const log = await openLog(await memoryPartition())
      for (const time of times) await log.append(batchOf(1, time))
      const max = Math.max(...times)
      const expected = max < 0 ? undefined : times.indexOf(max)
      expect((await log.maxTimestamp())?.offset).toBe(expected)
    }
  })
})

describe('close', () => {
  it('waits for what is in flight, then refuses everything', async () => {
    const log = await openLog(await memoryPartition())
    const last = log.append(batchOf(1))
    await log.close()
    await expect(last).resolves.toMatchObject({ baseOffset: 0 })
    await expect(log.append(batchOf(1))).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await expect(log.read(0, 1)).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await expect(log.truncateTo(0)).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
  })

  it('records read back are the ones that were sent', async () => {
    const log = await openLog(await memoryPartition())
    await log.append(batchOf(2))
    const cursor = await openBatch((await log.read(0, 1)).batches[0]!)
    const offsets: number[] = []
    while (cursor.next()) offsets.push(cursor.offset)
    expect(offsets).toEqual([0, 1])
  })
})

import { describe, expect, it } from 'vitest'
import type { PartitionStorage, StoredBatch } from '../../src/storage/contract.js'
import { batchOf, memoryPartition, openLog, produced } from '../support/log-batches.js'

/** `inner`, whose reads go through `distort`. */
const distorted = (
  inner: PartitionStorage,
  distort: (batches: readonly StoredBatch[]) => readonly StoredBatch[],
): PartitionStorage => ({
  id: inner.id,
  get state() {
    return inner.state
  },
  append: (batches, options) => inner.append(batches, options),
  read: async (from, maxBytes) => distort(await inner.read(from, maxBytes)),
  infos: (from, count) => inner.infos(from, count),
  findByTimestamp: (timestamp, from) => inner.findByTimestamp(timestamp, from),
  truncateSuffix: (end, blobs) => inner.truncateSuffix(end, blobs),
  truncatePrefix: (start, blobs) => inner.truncatePrefix(start, blobs),
  replace: (from, to, batches, blobs) => inner.replace(from, to, batches, blobs),
  readBlob: (name) => inner.readBlob(name),
  writeBlobs: (blobs, durability) => inner.writeBlobs(blobs, durability),
})

const flipped = (at: number) => flippedBy(at, 0x40)
const flippedBy =
  (at: number, bit: number) =>
  (batches: readonly StoredBatch[]): StoredBatch[] =>
    batches.map((batch) => {
      if (batch.baseOffset !== 2) return batch
      const bytes = batch.bytes.slice()
      bytes[at < 0 ? bytes.length + at : at]! ^= bit
      return { ...batch, bytes }
    })
const dropped = (batches: readonly StoredBatch[]) => batches.filter(({ baseOffset }) => baseOffset !== 2)
const cutOff = (batches: readonly StoredBatch[]) => batches.filter(({ baseOffset }) => baseOffset < 2)

const threeBatches = async (): Promise<PartitionStorage> => {
  const storage = await memoryPartition()
  const log = await openLog(storage)
  for (let i = 0; i < 3; i++) await log.append(batchOf(2))
  return storage
}
const OFF_LINE = { code: 'STORAGE_CORRUPT', details: { partition: 'orders-0', offset: 2 } }

describe('L5, L2: damage found after an unclean stop takes the log off line', () => {
  it.each([
    ['a flipped bit in the records', flipped(-1)],
    ['a flipped bit in the offset', flipped(6)],
    ['a flipped bit in the CRC', flipped(18)],
    ['a flipped bit in the length', flipped(10)],
    ['a flipped bit in the format version', flipped(16)],
    ['a hole', dropped],
    ['a missing end', cutOff],
  ])('%s', async (_, distort) => {
    const inner = await threeBatches()
    const log = await openLog(distorted(inner, distort))
    expect(log.failure).toMatchObject(OFF_LINE)
    await expect(log.read(0, 1)).rejects.toMatchObject(OFF_LINE)
    await expect(log.append(batchOf(1))).rejects.toMatchObject(OFF_LINE)
    await expect(log.truncateTo(1)).rejects.toMatchObject(OFF_LINE)
    await expect(log.applyRetention(0)).rejects.toMatchObject(OFF_LINE)
    await log.close()
    expect(await inner.readBlob('checkpoint')).toBeUndefined()
  })
})

describe('L6', () => {
  it('an epoch that is lower than that of the batch before it takes the log off line', async () => {
    const inner = await memoryPartition()
    const first = await openLog(inner, {}, { leaderEpoch: 3 })
    for (let i = 0; i < 3; i++) await first.append(batchOf(2))
    // No CRC covers a batch's epoch.
    const log = await openLog(distorted(inner, flippedBy(15, 1)))
    expect(log.failure).toMatchObject(OFF_LINE)
  })
})

describe('L5: damage found by a read takes the log off line', () => {
  it.each([
    ['a flipped bit in the offset', flipped(6)],
    ['a flipped bit in the length of the offsets', flipped(26)],
    ['a hole', dropped],
  ])('%s', async (_, distort) => {
    let now = (batches: readonly StoredBatch[]) => batches
    const log = await openLog(distorted(await threeBatches(), (batches) => now(batches)))
    expect((await log.read(0, 1e6)).batches).toHaveLength(3)
    now = distort
    await expect(log.read(0, 1e6)).rejects.toMatchObject(OFF_LINE)
    await expect(log.append(batchOf(1))).rejects.toMatchObject(OFF_LINE)
  })

  it.each([
    ['a flipped bit in a record', flipped(-1)],
    ['a flipped bit in the attributes', flipped(22)],
  ])('on a disk, %s', async (_, distort) => {
    let now = (batches: readonly StoredBatch[]) => batches
    const storage = distorted(await threeBatches(), (batches) => now(batches))
    const log = await openLog(storage, {}, { isOnDisk: true })
    expect((await log.read(0, 1e6)).batches).toHaveLength(3)
    now = distort
    await expect(log.read(0, 1e6)).rejects.toMatchObject(OFF_LINE)
    await expect(log.append(batchOf(1))).rejects.toMatchObject(OFF_LINE)
  })

  it('nothing at an offset below the high watermark', async () => {
    let now = (batches: readonly StoredBatch[]) => batches
    const log = await openLog(distorted(await threeBatches(), (batches) => now(batches)))
    now = () => []
    await expect(log.read(2, 1e6)).rejects.toMatchObject(OFF_LINE)
  })
})

describe('the checkpoint', () => {
  it('L5: tells that acknowledged batches at the end are gone', async () => {
    const inner = await threeBatches()
    await (await openLog(inner)).close()
    const blob = await inner.readBlob('checkpoint')
    await inner.truncateSuffix(2, { checkpoint: blob! })
    expect((await openLog(inner)).failure).toMatchObject(OFF_LINE)
  })

  it('that is damaged is known as such, and the log read from its start instead', async () => {
    const inner = await threeBatches()
    let log = await openLog(inner)
    await log.append(produced(4, 0, 0))
    await log.close()
    const blob = (await inner.readBlob('checkpoint'))!
    for (const at of [0, 3, blob.length - 1]) {
      const bad = blob.slice()
      bad[at]! ^= 1
      await inner.writeBlobs({ checkpoint: bad }, 'os')
      log = await openLog(inner)
      expect(log.recovery).toMatchObject({ checkpoint: 'damaged', validatedBytes: inner.state.sizeBytes })
      expect(await log.append(produced(4, 0, 0))).toMatchObject({ baseOffset: 6, duplicate: true })
    }
    await log.close()
    expect((await openLog(inner)).recovery).toMatchObject({ checkpoint: 'sound', validatedBytes: 0 })
  })

  it('goes along with appends, so that an unclean stop costs a bounded amount', async () => {
    const storage = await memoryPartition()
    const log = await openLog(storage, { maxMessageBytes: 2 ** 22 })
    const value = batchOf(80_000)
    for (let sent = 0; sent < 40 * 2 ** 20; sent += value.length) await log.append(value.slice())
    const { recovery, endOffset } = await openLog(storage)
    expect(recovery.checkpoint).toBe('sound')
    expect(recovery.validatedBytes).toBeLessThan(16 * 2 ** 20 + value.length)
    expect(endOffset).toBe(log.endOffset)
  })
})

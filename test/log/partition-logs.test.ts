import { describe, expect, it } from 'vitest'
import { PartitionLogs } from '../../src/log/partition-logs.js'
import { systemClock } from '../../src/runtime/clock.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { batchOf, clockAt, ID, KEEP_ALL } from '../support/log-batches.js'

const OTHER = { ...ID, partition: 1 }

describe('PartitionLogs', () => {
  it('opens each once, also when it is asked for twice at a time', async () => {
    const storage = new MemoryStorage()
    await storage.open()
    const logs = new PartitionLogs(storage, { clock: systemClock })
    const [a, b] = await Promise.all([logs.get(ID, 'a-0', KEEP_ALL), logs.get(ID, 'a-0', KEEP_ALL)])
    expect(a).toBe(b)
    expect(await logs.get(OTHER, 'a-1', KEEP_ALL)).not.toBe(a)
    expect([...logs.opened()].map(({ name }) => name).sort()).toEqual(['a-0', 'a-1'])
    await logs.close()
    await expect(logs.get(ID, 'a-0', KEEP_ALL)).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
    await expect(a.append(batchOf(1))).rejects.toMatchObject({ code: 'RESOURCE_CLOSED' })
  })

  it('close writes the checkpoint of every log', async () => {
    const storage = new MemoryStorage()
    await storage.open()
    const first = new PartitionLogs(storage, { clock: systemClock })
    for (const id of [ID, OTHER]) await (await first.get(id, 'a', KEEP_ALL)).append(batchOf(2))
    await first.close()
    const second = new PartitionLogs(storage, { clock: systemClock })
    for (const id of [ID, OTHER]) {
      const log = await second.get(id, 'a', KEEP_ALL)
      expect(log.endOffset).toBe(2)
      expect(log.recovery).toMatchObject({ checkpoint: 'sound', validatedBytes: 0 })
    }
  })

  it('delete removes what is stored, and the open log refuses', async () => {
    const storage = new MemoryStorage()
    await storage.open()
    const logs = new PartitionLogs(storage, { clock: systemClock })
    const log = await logs.get(ID, 'a-0', KEEP_ALL)
    await log.append(batchOf(2))
    await logs.delete(ID)
    await expect(log.append(batchOf(1))).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
    expect(await storage.partitions()).toEqual([])
    expect((await logs.get(ID, 'a-0', KEEP_ALL)).endOffset).toBe(0)
  })

  it('R1, R2: the sweep reaches open partitions and described ones, and stops at the signal', async () => {
    const storage = new MemoryStorage()
    await storage.open()
    const config = { ...KEEP_ALL, retentionMs: 100 }
    const clock = clockAt(1000)
    const first = new PartitionLogs(storage, { clock })
    for (const id of [ID, OTHER]) {
      const log = await first.get(id, 'a', config)
      for (const time of [899, 900, 1]) await log.append(batchOf(1, time))
    }
    await first.close()
    const describe = (id: typeof ID) => (id.partition === 1 ? { name: 'a-1', config } : undefined)
    const second = new PartitionLogs(storage, { clock, describe })
    const open = await second.get(ID, 'a-0', config)
    await expect(second.applyRetention(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop')
    expect(await second.applyRetention(new AbortController().signal)).toBe(2 * batchOf(1).length)
    expect(open.startOffset).toBe(1)
    expect((await second.get(OTHER, 'a-1', config)).startOffset).toBe(1)
    clock.time = 5000
    await second.applyRetention()
    expect([open.startOffset, open.highWatermark, open.sizeBytes]).toEqual([3, 3, 0])
    await second.close()
    // R1: the log start offset is durable.
    const third = new PartitionLogs(storage, { clock })
    expect((await third.get(ID, 'a-0', config)).startOffset).toBe(3)
  })
})

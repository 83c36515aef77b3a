/** Retention by the configs of a topic: what goes, what never does, and what a change of them does to an open log. */
import { describe, expect, it } from 'vitest'
import type { LogConfig } from '../../src/log/log-config.js'
import { PartitionLog } from '../../src/log/partition-log.js'
import { batchOf, clockAt, ID, KEEP_ALL, memoryPartition, openLog } from '../support/log-batches.js'

const NOW = 1_000_000

const logWith = async (config: Partial<LogConfig>, timestamps: readonly number[]) => {
  const storage = await memoryPartition()
  const log = await openLog(storage, config, { clock: clockAt(NOW) })
  for (const timestamp of timestamps) await log.append(batchOf(1, timestamp))
  return { storage, log }
}

describe('retention', () => {
  it('R1: drops a prefix only, though something younger lies before what is old', async () => {
    const { log } = await logWith({ retentionMs: 1000 }, [NOW - 5000, NOW - 10, NOW - 5000])
    await log.applyRetention(NOW)
    expect(log.startOffset).toBe(1)
  })

  it('R2: never reaches beyond the high watermark, and what is gone stays gone (R3)', async () => {
    const { storage, log } = await logWith({ retentionMs: 0, retentionBytes: 0 }, [1, 2, 3])
    await log.applyRetention(NOW)
    expect([log.startOffset, log.highWatermark, log.endOffset]).toEqual([3, 3, 3])
    await expect(log.read(2, 1000)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    await log.append(batchOf(1, 4))
    const killed = await openLog(storage)
    expect([killed.startOffset, killed.endOffset]).toEqual([3, 4])
    await expect(killed.read(2, 1000)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
  })

  it('tells which records went, and why', async () => {
    const told: unknown[] = []
    const storage = await memoryPartition()
    const size = batchOf(2, NOW).length
    const config = { ...KEEP_ALL, retentionMs: 1000, retentionBytes: 2 * size }
    const log = await PartitionLog.open(storage, {
      name: 'orders-0',
      config,
      clock: clockAt(NOW),
      onDropped: (id, dropped) => told.push([id, dropped]),
    })
    for (const timestamp of [NOW - 5000, NOW, NOW, NOW]) await log.append(batchOf(2, timestamp))
    log.updateConfig({ ...config, retentionBytes: -1 })
    await log.applyRetention(NOW)
    log.updateConfig(config)
    await log.applyRetention(NOW)
    await log.deleteRecordsBefore(5)
    const last = { fromOffset: 4, toOffset: 5, bytes: 0, reason: 'DeleteRecords' }
    expect(told).toEqual([
      [ID, { fromOffset: 0, toOffset: 2, bytes: size, reason: 'retention.ms' }],
      [ID, { fromOffset: 2, toOffset: 4, bytes: size, reason: 'retention.bytes' }],
      [ID, last],
    ])
    expect(log.inspect().lastDropped).toEqual({ ...last, timestamp: NOW })
    await log.applyRetention(NOW)
    await log.deleteRecordsBefore(5)
    expect(told).toHaveLength(3)
  })

  it('R4: a record from the future keeps what follows it, one without a timestamp goes with the next', async () => {
    const future = await logWith({ retentionMs: 1000 }, [NOW * 2, NOW - 5000])
    await future.log.applyRetention(NOW)
    expect(future.log.startOffset).toBe(0)
    const timeless = await logWith({ retentionMs: 1000 }, [-1, NOW - 5000, -1, NOW - 10])
    await timeless.log.applyRetention(NOW)
    expect(timeless.log.startOffset).toBe(2)
  })

  it('drops nothing without delete in the cleanup.policy, and begins when that is changed', async () => {
    const limits = { retentionMs: 0, retentionBytes: 0 }
    const { log } = await logWith({ ...limits, deletesOld: false }, [1, 2])
    expect(await log.applyRetention(NOW)).toBe(0)
    expect(log.startOffset).toBe(0)
    log.updateConfig({ ...KEEP_ALL, ...limits })
    await log.applyRetention(NOW)
    expect(log.startOffset).toBe(2)
  })
})

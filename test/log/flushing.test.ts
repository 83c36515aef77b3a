/** durability, flush.messages and flush.ms: what is asked of the disk, and when. */
import { describe, expect, it } from 'vitest'
import { PartitionLog } from '../../src/log/partition-log.js'
import type { LogConfig } from '../../src/log/log-config.js'
import { Timers } from '../../src/runtime/timers.js'
import { batchOf, KEEP_ALL, memoryPartition } from '../support/log-batches.js'
import { ManualClock } from '../support/manual-clock.js'
import { recordedPartition } from '../support/recorded-storage.js'

const openRecorded = async (config: Partial<LogConfig>) => {
  const clock = new ManualClock()
  const recorded = recordedPartition(await memoryPartition())
  const log = await PartitionLog.open(recorded.storage, {
    name: 'orders-0',
    config: { ...KEEP_ALL, ...config },
    clock,
    timers: new Timers(clock),
  })
  const durabilities = () => recorded.appends.map(({ options }) => options.durability)
  return { log, clock, durabilities, flushes: recorded.flushes }
}

describe('durability', () => {
  it('is that of the topic, also when it changes', async () => {
    const { log, durabilities } = await openRecorded({ durability: 'fsync' })
    await log.append(batchOf(1))
    log.updateConfig(KEEP_ALL)
    await log.append(batchOf(1))
    expect(durabilities()).toEqual(['fsync', 'os'])
  })
})

describe('flush.messages', () => {
  it('makes the append that reaches so many records wait for the disk', async () => {
    const { log, durabilities } = await openRecorded({ flushMessages: 5 })
    for (const count of [2, 2, 1, 4, 7, 1]) await log.append(batchOf(count))
    expect(durabilities()).toEqual(['os', 'os', 'fsync', 'os', 'fsync', 'os'])
    log.updateConfig({ ...KEEP_ALL, flushMessages: 1 })
    await log.append(batchOf(1))
    expect(durabilities().at(-1)).toBe('fsync')
  })
})

describe('flush.ms', () => {
  it('flushes so long after the first record that was not, once', async () => {
    const { log, clock, flushes } = await openRecorded({ flushMs: 100 })
    await clock.advanceAsync(1000)
    expect(flushes).toEqual([])
    await log.append(batchOf(1))
    await clock.advanceAsync(60)
    await log.append(batchOf(1))
    await log.append(batchOf(1))
    await clock.advanceAsync(39)
    expect(flushes).toEqual([])
    await clock.advanceAsync(1)
    expect(flushes).toEqual(['fsync'])
    await clock.advanceAsync(1000)
    expect(flushes).toEqual(['fsync'])
    expect(clock.pendingCount).toBe(0)
  })

  it('has nothing to do after an append that was flushed, and counts anew when it changes', async () => {
    const { log, clock, flushes } = await openRecorded({ flushMs: 100, durability: 'fsync' })
    await log.append(batchOf(1))
    expect(clock.pendingCount).toBe(0)
    log.updateConfig({ ...KEEP_ALL, flushMs: -1 })
    await log.append(batchOf(1))
    expect(clock.pendingCount).toBe(0)
    log.updateConfig({ ...KEEP_ALL, flushMs: 50 })
    expect(clock.keepsAlive).toBe(false)
    await clock.advanceAsync(50)
    expect(flushes).toEqual(['fsync'])
    await log.append(batchOf(1))
    await log.close()
    expect(clock.pendingCount).toBe(0)
  })
})

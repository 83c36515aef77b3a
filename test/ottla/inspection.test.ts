/** What the log tells of itself: by Kafka's DescribeLogDirs, by inspect, and by events. */
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import {
  Ottla,
  OttlaError,
  string,
  type LogRecoveredEvent,
  type LogStorage,
  type PartitionOfflineEvent,
} from '../../src/index.js'
import { fileStorage } from '../../src/storage/file/index.js'
import { levelStorage } from '../../src/storage/level/index.js'
import { MemoryStorage } from '../../src/storage/memory/index.js'
import { tempFolder } from '../support/temp-folder.js'

const storages: [string, (folder: string) => LogStorage][] = [
  ['memory', () => new MemoryStorage()],
  ['level', levelStorage],
  ['file', fileStorage],
]

describe.each(storages)('%s', (name, create) => {
  it('tells of every partition what was written to it', async () => {
    const folder = await tempFolder()
    await using ottla = await Ottla.open({ storage: create(folder) })
    const topic = await ottla.createTopic('orders', { partitions: 2, value: string })
    await ottla.createTopic('empty', { value: string })
    const producer = ottla.producer()
    for (let count = 0; count < 3; count++) {
      await producer.send(topic, [
        { value: 'a', partition: 0 },
        { value: 'b', partition: 0 },
      ])
    }
    await producer.send(topic, { value: 'c', partition: 1 })
    await ottla.admin.deleteRecords([{ topic: 'orders', partition: 0, before: 2 }])

    const { storage, location, partitions, sizeBytes, storageSizeBytes, maxDiskBytes } = await ottla.inspect()
    expect({ storage, location }).toEqual({ storage: name, location: name === 'memory' ? undefined : folder })
    expect(maxDiskBytes).toBeUndefined()
    const of = (name: string, partition: number) =>
      partitions.find((each) => each.topic === name && each.partition === partition)
    expect(of('orders', 0)).toMatchObject({
      error: undefined,
      startOffset: 2,
      endOffset: 6,
      highWatermark: 6,
      lastStableOffset: 6,
      activeSegmentOffset: 0,
      leaderEpoch: 0,
      lastCompaction: undefined,
    })
    expect(of('orders', 1)).toMatchObject({ startOffset: 0, endOffset: 1, batchCount: 1 })
    expect(of('empty', 0)).toMatchObject({ startOffset: 0, endOffset: 0, batchCount: 0, sizeBytes: 0 })
    expect(of('orders', 1)?.segmentCount).toBe(name === 'file' ? 1 : undefined)
    // A batch of one record of one byte, by the format: 61 bytes of header, and 8 of the record.
    expect(of('orders', 1)?.sizeBytes).toBe(69)
    expect(sizeBytes).toBe(partitions.reduce((sum, each) => sum + each.sizeBytes, 0))
    expect(storageSizeBytes).toBeGreaterThanOrEqual(sizeBytes)

    expect((await ottla.inspect('empty')).partitions).toEqual([of('empty', 0)])
    await expect(ottla.inspect('nothing')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })

  it('describes its log directory as Kafka does', async () => {
    const folder = await tempFolder()
    await using ottla = await Ottla.open({ storage: create(folder) })
    const topic = await ottla.createTopic('orders', { partitions: 2, value: string })
    await ottla.producer().send(topic, { value: 'c', partition: 1 })
    const [directory, ...others] = await ottla.admin.describeLogDirs()
    expect(others).toEqual([])
    expect(directory).toMatchObject({
      logDir: name === 'memory' ? 'memory' : folder,
      error: undefined,
      isCordoned: false,
    })
    const replica = { topic: 'orders', offsetLag: 0, isFuture: false }
    expect(directory?.replicas).toEqual(
      expect.arrayContaining([
        { ...replica, partition: 0, sizeBytes: 0 },
        { ...replica, partition: 1, sizeBytes: 69 },
      ]),
    )
    if (name === 'memory') expect(directory?.totalBytes).toBeUndefined()
    else expect(directory?.usableBytes).toBeLessThanOrEqual(directory?.totalBytes ?? 0)
  })
})

it('tells where a segment began, what was dropped, and how a log was recovered that nobody closed', async () => {
  const folder = await tempFolder()
  const before = join(folder, 'before')
  const told: unknown[] = []
  const killed = await Ottla.open({ storage: fileStorage(before) })
  killed.events.on('segmentRolled', (event) => told.push(event))
  killed.events.on('recordsDropped', (event) => told.push(event))
  const topic = await killed.createTopic('orders', { value: string, configs: { 'segment.bytes': 1_048_576 } })
  const producer = killed.producer()
  const value = 'x'.repeat(600_000)
  for (let count = 0; count < 3; count++) await producer.send(topic, { value })
  // By the format: 61 bytes of header; of the record three for its length, five for fields and three for the value's.
  const bytes = 61 + 11 + value.length
  await killed.admin.deleteRecords([{ topic: 'orders', partition: 0, before: 1 }])
  const place = { topic: 'orders', partition: 0 }
  expect(told).toEqual([
    { ...place, baseOffset: 1, previousBaseOffset: 0, previousSizeBytes: bytes },
    { ...place, baseOffset: 2, previousBaseOffset: 1, previousSizeBytes: bytes },
    { ...place, fromOffset: 0, toOffset: 1, bytes, reason: 'DeleteRecords' },
  ])
  await producer.send(topic, { value: 'behind the last checkpoint' })
  // What a process leaves that is killed is what lies there now.
  const after = join(folder, 'after')
  await cp(before, after, { recursive: true, filter: (path) => !path.includes('ottla.lock.') })
  await killed.close()

  await using again = await Ottla.open({ storage: fileStorage(after) })
  const recovered: LogRecoveredEvent[] = []
  again.events.on('logRecovered', (event) => recovered.push(event))
  const [partition] = (await again.inspect('orders')).partitions
  expect(recovered).toEqual([{ ...place, ...partition?.recovery }])
  expect(partition).toMatchObject({
    startOffset: 1,
    endOffset: 4,
    producers: 1,
    openTransactions: 0,
    leaderEpochs: [{ epoch: 0, startOffset: 1 }],
    durability: 'os',
    lastDropped: undefined,
    recovery: { checkpoint: 'sound', validatedBytes: 61 + 8 + 'behind the last checkpoint'.length - 1 },
  })
})

it('tells of a partition that goes off line, with the file and the place', async () => {
  const folder = await tempFolder()
  const open = () => Ottla.open({ storage: fileStorage(folder) })
  const before = await open()
  const topic = await before.createTopic('orders', { value: string })
  for (const value of ['one', 'two', 'three']) await before.producer().send(topic, { value })
  await before.close()
  const segment = await segmentOf(folder, topic.id)
  const bytes = await readFile(segment)
  bytes[80]! ^= 1
  await writeFile(segment, bytes)

  await using ottla = await open()
  const events: PartitionOfflineEvent[] = []
  ottla.events.on('partitionOffline', (event) => events.push(event))
  const read = async (): Promise<void> => {
    const damaged = await ottla.topic('orders', { value: string })
    for await (const message of damaged.partition(0).read({ to: 'latest' })) expect(message.value).toBe('one')
  }
  const error: unknown = await read().catch((reason: unknown) => reason)
  // Kafka's answer has a code alone; in this process its reader is told what is damaged, and where.
  expect(error).toMatchObject({
    code: 'KAFKA_STORAGE_ERROR',
    cause: { code: 'STORAGE_CORRUPT' },
    details: { topic: 'orders', partition: 0 },
  })
  expect(JSON.stringify((error as OttlaError).details)).toContain(segment)
  await vi.waitFor(() => expect(events).toHaveLength(1))
  expect(events[0]).toMatchObject({ topic: 'orders', partition: 0, error: { code: 'STORAGE_CORRUPT' } })
  expect((error as OttlaError).cause).toBe(events[0]?.error)
  const byTime = ottla.admin.listOffsets([{ topic: 'orders', partition: 0 }], new Date(1))
  await expect(byTime).rejects.toMatchObject({ code: 'KAFKA_STORAGE_ERROR', cause: events[0]?.error })
  const { partitions } = await ottla.inspect('orders')
  expect(partitions[0]?.error).toBe(events[0]?.error)
  expect(JSON.stringify(partitions[0]?.error?.details)).toContain(segment)
})

/** The segment file of the topic's only partition. */
const segmentOf = async (folder: string, topicId: string): Promise<string> => {
  const names = await readdir(folder, { recursive: true })
  const found = names.find((name) => name.includes(topicId) && name.endsWith('.log'))
  if (found === undefined) throw new Error(`no segment of ${topicId} in ${names.join()}`)
  return join(folder, found)
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { copyLog, Ottla, string, type LogStorage } from '../../src/index.js'
import { fileStorage } from '../../src/storage/file/index.js'
import { levelStorage } from '../../src/storage/level/index.js'
import { keptStorage } from '../support/kept-storage.js'
import { tempFolder } from '../support/temp-folder.js'

const STORAGES: Record<string, (folder: string) => LogStorage> = {
  memory: () => keptStorage(),
  level: levelStorage,
  file: fileStorage,
}
const folder = async (name: string): Promise<string> => join(await tempFolder(), name)

const filled = async (storage: LogStorage): Promise<void> => {
  await using ottla = await Ottla.open({ storage })
  const topic = await ottla.createTopic('orders', { partitions: 2, value: string })
  const producer = ottla.producer()
  for (let i = 0; i < 20; i++) {
    await producer.send(topic, { partition: i % 2, value: `value ${i}` })
    await producer.flush()
  }
  await ottla.admin.deleteRecords([{ topic: 'orders', partition: 0, before: 3 }])
  await ottla.admin.deleteRecords([{ topic: 'orders', partition: 1, before: 'latest' }])
}

const contents = async (storage: LogStorage) => {
  await storage.open()
  const all: Record<string, unknown> = {}
  for (const id of await storage.partitions()) {
    const partition = await storage.partition(id)
    const batches = await partition.read(0, 1e9)
    all[`${id.topicId}-${id.partition}`] = {
      startOffset: partition.state.startOffset,
      endOffset: partition.state.endOffset,
      batches: batches.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
      checkpoint: Buffer.from((await partition.readBlob('checkpoint')) ?? []).toString('hex'),
      compaction: Buffer.from((await partition.readBlob('compaction')) ?? []).toString('hex'),
    }
  }
  await storage.close()
  return all
}

/** `inner`, whose batch at `offset` of the partitions that match reads with the end of its value flipped: only its CRC tells. */
const flipping = (inner: LogStorage, offset: number): LogStorage => ({
  name: inner.name,
  capabilities: inner.capabilities,
  failure: undefined,
  open: () => inner.open(),
  close: () => inner.close(),
  partitions: () => inner.partitions(),
  deletePartition: (id) => inner.deletePartition(id),
  sizeBytes: () => inner.sizeBytes(),
  async partition(id) {
    const partition = await inner.partition(id)
    if (id.topicId === 'AAAAAAAAAAAAAAAAAAAAAQ') return partition
    return new Proxy(partition, {
      get(target, key) {
        if (key !== 'read') {
          const value: unknown = Reflect.get(target, key, target)
          return typeof value === 'function' ? (value.bind(target) as unknown) : value
        }
        return async (from: number, max: number) =>
          (await target.read(from, max)).map((batch) => {
            if (batch.baseOffset !== offset) return batch
            const bytes = batch.bytes.slice()
            bytes[bytes.length - 2]! ^= 1
            return { ...batch, bytes }
          })
      },
    })
  },
})

for (const from of Object.keys(STORAGES)) {
  for (const to of Object.keys(STORAGES)) {
    it(`copies a log from ${from} to ${to}: offsets, bytes, starts and checkpoints`, async () => {
      const source = STORAGES[from]!(await folder('from'))
      const target = STORAGES[to]!(await folder('to'))
      await filled(source)
      await Ottla.copy(source, target)
      expect(await contents(target)).toEqual(await contents(source))
      expect(await Ottla.verify(target)).toMatchObject({ sound: true })
      await expect(Ottla.copy(source, target)).rejects.toMatchObject({ code: 'STORAGE_NOT_EMPTY' })
    })
  }
}

for (const [from, to] of [
  ['memory', 'file'],
  ['level', 'file'],
  ['file', 'level'],
] as const) {
  it(`copies a log that is compacted from ${from} to ${to}: its gaps, and where they may lie`, async () => {
    const source = STORAGES[from]!(await folder('from'))
    const target = STORAGES[to]!(await folder('to'))
    const newest = new Map<string, [offset: number, value: string]>()
    {
      await using ottla = await Ottla.open({ storage: source, configs: { 'log.cleaner.backoff.ms': 10 } })
      const topic = await ottla.createTopic('states', {
        key: string,
        value: string,
        configs: { 'cleanup.policy': 'compact', 'segment.bytes': 1_048_576, 'min.cleanable.dirty.ratio': 0 },
      })
      const compacted = new Promise((resolve) => ottla.events.on('logCompacted', resolve))
      const producer = ottla.producer()
      for (let turn = 0; turn < 60; turn++) {
        const [key, value] = [`key ${turn % 7}`, `value ${turn} ${'x'.repeat(40_000)}`]
        const { offset } = await producer.send(topic, { key, value })
        newest.set(key, [offset, value])
      }
      await compacted
    }
    await Ottla.copy(source, target)
    expect(await contents(target)).toEqual(await contents(source))
    expect(await Ottla.verify(target)).toMatchObject({ sound: true })

    await using ottla = await Ottla.open({ storage: target })
    const topic = await ottla.topic('states', { key: string, value: string })
    const found = new Map<string | null, [number, string]>()
    let count = 0
    for await (const { key, value, offset } of topic.partition(0).read({ from: 'earliest', to: 'latest' })) {
      found.set(key, [offset, value])
      count++
    }
    expect(found).toEqual(newest)
    expect(count).toBeLessThan(60)
    expect((await ottla.producer().send(topic, { key: 'next', value: '' })).offset).toBe(60)
  })
}

it.each(Object.keys(STORAGES))('an aborted copy into %s is refused as a log', async (kind) => {
  const target = STORAGES[kind]!(await folder('to'))
  const source = keptStorage()
  await filled(source)
  const abort = new AbortController()
  const copying = Ottla.copy(source, target, { signal: abort.signal, onProgress: () => abort.abort() })
  await expect(copying).rejects.toMatchObject({ name: 'AbortError' })
  await expect(Ottla.open({ storage: target })).rejects.toMatchObject({ code: 'COPY_INCOMPLETE' })
})

it('damage is never copied', async () => {
  const source = keptStorage()
  await filled(source)
  await source.open()
  const target = keptStorage()
  await target.open()
  await expect(copyLog(flipping(source, 5), target)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' })
})

it.each(Object.keys(STORAGES))(
  '%s: verify finds a flipped byte, repair cuts it off and keeps it',
  async (kind) => {
    const inner = STORAGES[kind]!(await folder('log'))
    await filled(inner)
    expect(await Ottla.verify(inner)).toMatchObject({ sound: true })
    const keepAt = await folder('kept')
    await expect(Ottla.repair(inner, { keepAt })).rejects.toMatchObject({ code: 'NOT_DAMAGED' })
    const broken = flipping(inner, 5)
    const report = await Ottla.verify(broken)
    expect(report.sound).toBe(false)
    const bad = report.partitions.filter(({ problemCount }) => problemCount > 0)
    expect(bad).toMatchObject([
      { topic: 'orders', partition: 0, problems: [{ code: 'BATCH_DAMAGED', offset: 5 }] },
    ])
    const repairs = await Ottla.repair(broken, { keepAt })
    expect(repairs).toMatchObject([{ topic: 'orders', partition: 0, lostFrom: 5, lostTo: 9 }])
    const files = (await readdir(join(keepAt, 'orders-0'))).sort()
    expect(files).toEqual(['00000000000000000005.json', '00000000000000000005.log'])
    expect((await readFile(join(keepAt, 'orders-0', files[1]!))).length).toBe(repairs[0]!.keptBytes)
    expect(await Ottla.verify(broken)).toMatchObject({ sound: true })
    await using ottla = await Ottla.open({ storage: broken })
    const topic = await ottla.topic('orders', { value: string })
    const [written] = [await ottla.producer().send(topic, { partition: 0, value: 'again' })]
    expect(written.offset).toBe(5)
    expect(await ottla.verify()).toMatchObject({ sound: false })
  },
)

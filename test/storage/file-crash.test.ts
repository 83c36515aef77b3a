/** File storage after crashes: a power failure or a kill at any operation, writes torn at any byte. */
import { describe, expect, it } from 'vitest'
import type { BatchWrite, Durability, LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { FileStorage } from '../../src/storage/file/file-storage.js'
import { storageContractSuite } from '../../src/storage/test-suite/contract-suite.js'
import { NaivePartition } from '../../src/storage/test-suite/naive-partition.js'
import { PARTITION, readAll, sampleBatch } from '../../src/storage/test-suite/samples.js'
import { Seeded } from '../../src/storage/test-suite/seeded.js'
import { CrashingFiles } from '../support/crashing-files.js'

const storageOver = (files: CrashingFiles, life = 0): FileStorage =>
  new FileStorage({
    location: '/log',
    files: files.mount(),
    process: () =>
      Promise.resolve({
        pid: 1,
        startedAt: String(life),
        isRunning: (_pid, startedAt) => Promise.resolve(startedAt === String(life)),
      }),
  })

const disks = new WeakMap<LogStorage, CrashingFiles>()
const over = (files: CrashingFiles): LogStorage => {
  files.kill()
  const storage = storageOver(files)
  disks.set(storage, files)
  return storage
}
const diskOf = (seed: number): CrashingFiles => {
  const random = new Seeded(seed)
  return new CrashingFiles((limit) => random.below(limit))
}

storageContractSuite({
  name: 'file in memory',
  runner: { describe, it },
  create: () => over(diskOf(1)),
  reopen: (closed) => over(disks.get(closed)!),
  failNextWrite: (storage) => disks.get(storage)!.failAfter(0),
  seeds: [21, 22],
})

type Step = (model: NaivePartition) => void
const snapshotOf = async (partition: PartitionStorage) => ({
  state: partition.state,
  batches: (await readAll(partition)).map((batch) => ({ ...batch, bytes: new Uint8Array(batch.bytes) })),
  blob: [...((await partition.readBlob('a')) ?? [])],
})
const expectedOf = (model: NaivePartition) => ({
  state: model.state,
  batches: model.read(0, Infinity),
  blob: [...(model.blobs.a ?? [])],
})

/** Draws a write, begins it, and answers what it does to a model. */
const beginStep = (
  partition: PartitionStorage,
  planned: NaivePartition,
  random: Seeded,
): { done: Promise<void>; step: Step; durability: Durability } => {
  const blobs = random.below(2) === 0 ? {} : { a: new Uint8Array([random.below(256), random.below(256)]) }
  const kind = random.below(20)
  const started = (done: Promise<void>, step: Step, durability: Durability = 'os') => {
    step(planned)
    return { done, step, durability }
  }
  if (kind === 0) {
    const end = Math.max(planned.startOffset, planned.endOffset - random.below(60))
    return started(partition.truncateSuffix(end, blobs), (model) => model.truncateSuffix(end, blobs))
  }
  if (kind === 1) {
    const start = Math.min(planned.endOffset, planned.startOffset + random.below(60))
    return started(partition.truncatePrefix(start, blobs), (model) => model.truncatePrefix(start, blobs))
  }
  if (kind === 2 && planned.batches.length > 2) {
    const first = random.below(planned.batches.length - 1)
    const from = planned.batches[first]!.baseOffset
    const to = planned.batches[first + 1]!.lastOffset + 1
    const batches = [sampleBatch(from, to - from)]
    return started(partition.replace(from, to, batches, blobs), (model) =>
      model.replace(from, to, batches, blobs),
    )
  }
  const batches: BatchWrite[] = []
  let offset = planned.endOffset
  for (let left = random.below(4); left > 0; left--) {
    const batch = sampleBatch(offset, 1 + random.below(9), { sizeBytes: 61 + random.below(300) })
    batches.push(batch)
    offset = batch.lastOffset + 1
  }
  const durability = random.below(3) === 0 ? 'fsync' : 'os'
  const done = partition.append(batches, { durability, blobs, newSegment: random.below(4) === 0 })
  return started(done, (model) => model.append(batches, blobs), durability)
}

const crashRound = async (seed: number, crash: 'kill' | 'powerFail'): Promise<void> => {
  const random = new Seeded(seed)
  const files = new CrashingFiles((limit) => random.below(limit))
  let certain: Step[] = []
  for (let life = 0; life < 4; life++) {
    const storage = storageOver(files, life)
    await storage.open()
    const partition = await storage.partition(PARTITION)
    const planned = new NaivePartition()
    for (const step of certain) step(planned)
    files.failAfter(random.below(60))
    const begun: { step: Step; durability: Durability; isDone: boolean }[] = []
    const running: Promise<void>[] = []
    for (let count = 0; count < 40 && storage.failure === undefined; count++) {
      const { done, step, durability } = beginStep(partition, planned, random)
      const entry = { step, durability, isDone: false }
      begun.push(entry)
      running.push(
        done.then(
          () => void (entry.isDone = true),
          () => undefined,
        ),
      )
      if (random.below(3) === 0) await Promise.all(running)
    }
    if (random.below(2) === 0) await Promise.all(running)
    const acknowledged = begun.findLastIndex(
      ({ isDone, durability }) => isDone && (crash === 'kill' || durability === 'fsync'),
    )
    files[crash]()
    await Promise.all(running)
    const again = storageOver(files, life + 1)
    disks.set(again, files)
    await again.open()
    const found = await snapshotOf(await again.partition(PARTITION))
    // One of the models after the first n writes, n being at least those that had to be kept.
    const model = new NaivePartition()
    for (const step of certain) step(model)
    let kept = -1
    const matches = (): boolean => {
      try {
        expect(found).toEqual(expectedOf(model))
        return true
      } catch {
        return false
      }
    }
    let isMatch = acknowledged < 0 && matches()
    while (!isMatch && kept + 1 < begun.length) {
      begun[++kept]!.step(model)
      isMatch = kept >= acknowledged && matches()
    }
    expect(isMatch, `seed ${seed}, life ${life}: state ${JSON.stringify(found.state)}`).toBe(true)
    certain = [...certain, ...begun.slice(0, kept + 1).map(({ step }) => step)]
    // It goes on from there.
    await again.close()
  }
}

describe('after a crash at any moment', () => {
  for (const crash of ['kill', 'powerFail'] as const) {
    it(`${crash}: all that was acknowledged is there, and whole writes only`, async () => {
      for (let seed = 1; seed <= 80; seed++) await crashRound(seed, crash)
    }, 60_000)
  }
})

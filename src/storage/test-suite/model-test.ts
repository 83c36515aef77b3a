/** A storage held against the model: random calls to several partitions, restarts and deletions among them. */
import type { BatchWrite, BlobChanges, PartitionId, PartitionStorage } from '../contract.js'
import { checkEqual } from './assertions.js'
import { NaivePartition } from './naive-partition.js'
import { batchOf, infoOf, OTHER_TOPIC_ID, PARTITION, readAll, sampleBatch } from './samples.js'
import { Seeded } from './seeded.js'
import type { Subject } from './suite-context.js'

const IDS: readonly PartitionId[] = [
  PARTITION,
  { ...PARTITION, partition: 1 },
  { topicId: OTHER_TOPIC_ID, partition: 0 },
]
const BLOB_NAMES = ['checkpoint', 'a', 'b']

/** How many of a hundred steps are of which kind; the rest are reads. */
const SHARES = { append: 45, suffix: 50, prefix: 56, replace: 62, blobs: 66, restart: 69, remove: 71 }

/** Runs `steps` random steps, and names `seed` when one goes wrong. */
export const modelTest = async (subject: Subject, seed: number, steps: number): Promise<void> => {
  const run = new ModelRun(subject, seed)
  for (let step = 0; step < steps; step++) {
    try {
      await run.step()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`seed ${seed}, step ${step} (${run.last}): ${reason}`, { cause: error })
    }
  }
}

class ModelRun {
  /** What the last step was. */
  last = ''
  readonly #subject: Subject
  readonly #random: Seeded
  readonly #models = IDS.map(() => new NaivePartition())

  constructor(subject: Subject, seed: number) {
    this.#subject = subject
    this.#random = new Seeded(seed)
  }

  async step(): Promise<void> {
    const index = this.#random.below(IDS.length)
    const id = IDS[index] ?? PARTITION
    const model = this.#models[index] ?? new NaivePartition()
    const partition = await this.#subject.storage.partition(id)
    const kind = this.#random.below(100)
    if (kind < SHARES.append) await this.#append(partition, model)
    else if (kind < SHARES.suffix) await this.#suffix(partition, model)
    else if (kind < SHARES.prefix) await this.#prefix(partition, model)
    else if (kind < SHARES.replace) await this.#replace(partition, model)
    else if (kind < SHARES.blobs) await this.#blobs(partition, model)
    else if (kind < SHARES.restart) await this.#restart()
    else if (kind < SHARES.remove) await this.#remove(id, index)
    else await this.#read(partition, model)
    for (const [at, each] of IDS.entries()) await this.#compareState(each, at)
  }

  /** One to four appends at once. */
  async #append(partition: PartitionStorage, model: NaivePartition): Promise<void> {
    this.last = 'append'
    const writes: Promise<void>[] = []
    for (let count = 1 + this.#random.below(4); count > 0; count--) {
      const batches: BatchWrite[] = []
      let offset = model.endOffset
      for (let left = this.#random.below(6); left > 0; left--) {
        const batch = this.#batch(offset + (this.#random.below(8) === 0 ? this.#random.below(20) : 0), 12)
        batches.push(batch)
        offset = batch.lastOffset + 1
      }
      const blobs = this.#blobChanges()
      const durability = this.#random.below(10) === 0 ? this.#subject.durability : 'os'
      writes.push(partition.append(batches, { durability, blobs }))
      model.append(batches, blobs)
    }
    await Promise.all(writes)
  }

  async #suffix(partition: PartitionStorage, model: NaivePartition): Promise<void> {
    const offset = model.endOffset - this.#random.below(80) + 5
    this.last = `truncateSuffix ${offset}`
    const blobs = this.#blobChanges()
    const truncated = partition.truncateSuffix(offset, blobs)
    model.truncateSuffix(offset, blobs)
    await Promise.all([truncated, this.#append(partition, model)])
  }

  async #prefix(partition: PartitionStorage, model: NaivePartition): Promise<void> {
    const offset = Math.min(model.endOffset, model.startOffset + this.#random.below(120) - 5)
    this.last = `truncatePrefix ${offset}`
    const blobs = this.#blobChanges()
    const truncated = partition.truncatePrefix(offset, blobs)
    model.truncatePrefix(offset, blobs)
    await Promise.all([truncated, this.#append(partition, model)])
  }

  async #replace(partition: PartitionStorage, model: NaivePartition): Promise<void> {
    const first = this.#random.below(model.batches.length + 1)
    const fromOffset = model.batches[first]?.baseOffset ?? model.endOffset
    const after = Math.min(model.batches.length, first + this.#random.below(8))
    const toOffset = model.batches[after]?.baseOffset ?? model.endOffset
    this.last = `replace ${fromOffset} to ${toOffset}`
    const batches: BatchWrite[] = []
    for (let offset = fromOffset + this.#random.below(5); offset < toOffset;) {
      const batch = this.#batch(offset, Math.min(20, toOffset - offset))
      batches.push(batch)
      offset = batch.lastOffset + 1 + this.#random.below(30)
    }
    const blobs = this.#blobChanges()
    const replaced = partition.replace(fromOffset, toOffset, batches, blobs)
    model.replace(fromOffset, toOffset, batches, blobs)
    await Promise.all([replaced, this.#append(partition, model)])
  }

  async #blobs(partition: PartitionStorage, model: NaivePartition): Promise<void> {
    this.last = 'writeBlobs'
    const blobs = this.#blobChanges()
    await partition.writeBlobs(blobs, this.#subject.durability)
    model.change(blobs)
    for (const name of BLOB_NAMES)
      checkEqual(await partition.readBlob(name), model.blobs[name], `blob ${name}`)
  }

  async #restart(): Promise<void> {
    this.last = 'restart'
    await this.#subject.restart()
    const { persistent } = this.#subject.storage.capabilities
    for (const [index, id] of IDS.entries()) {
      if (!persistent) this.#models[index] = new NaivePartition()
      const model = this.#models[index] ?? new NaivePartition()
      const partition = await this.#subject.storage.partition(id)
      checkEqual(
        await readAll(partition, 0, 1 + this.#random.below(2000)),
        model.read(0, Infinity),
        'batches',
      )
      for (const name of BLOB_NAMES) checkEqual(await partition.readBlob(name), model.blobs[name], name)
    }
  }

  async #remove(id: PartitionId, index: number): Promise<void> {
    this.last = 'deletePartition'
    await this.#subject.storage.deletePartition(id)
    this.#models[index] = new NaivePartition()
  }

  async #read(partition: PartitionStorage, model: NaivePartition): Promise<void> {
    const from = Math.max(
      0,
      model.startOffset - 10 + this.#random.below(model.endOffset - model.startOffset + 20),
    )
    this.last = `read from ${from}`
    const maxBytes = this.#random.below(1500)
    checkEqual((await partition.read(from, maxBytes)).map(batchOf), model.read(from, maxBytes), 'read')
    const maxCount = this.#random.below(40)
    checkEqual((await partition.infos(from, maxCount)).map(infoOf), model.infos(from, maxCount), 'infos')
    const timestamp = this.#random.below(1200)
    const found = await partition.findByTimestamp(timestamp, from)
    const expected = model.findByTimestamp(timestamp, from)
    checkEqual(found === undefined ? undefined : infoOf(found), expected, `timestamp ${timestamp}`)
  }

  async #compareState(id: PartitionId, index: number): Promise<void> {
    const partition = await this.#subject.storage.partition(id)
    checkEqual(partition.state, this.#models[index]?.state, `state of partition ${index}`)
  }

  #batch(baseOffset: number, maxRecords: number): BatchWrite {
    const count = 1 + this.#random.below(maxRecords)
    const maxTimestamp = this.#random.below(20) === 0 ? -1 : this.#random.below(1000)
    return sampleBatch(baseOffset, count, { maxTimestamp, sizeBytes: 61 + this.#random.below(200) })
  }

  #blobChanges(): BlobChanges {
    if (this.#random.below(3) > 0) return {}
    const name = BLOB_NAMES[this.#random.below(BLOB_NAMES.length)] ?? 'a'
    return { [name]: this.#random.below(4) === 0 ? null : new Uint8Array([this.#random.below(256)]) }
  }
}

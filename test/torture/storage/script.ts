/**
 * What a writer does to one partition, step by step, as its seed has it. The writer that is killed and the judge that
 * outlives it follow the same script, so nothing but the number of steps need pass between them: what is on disk must
 * be exactly what the model holds after as many steps as were acknowledged, or a few more.
 */
import { HEADER_BYTES, writeHeader } from '../../../src/record/header.js'
import type {
  BatchInfo,
  BatchWrite,
  BlobChanges,
  Durability,
  PartitionId,
  PartitionStorage,
  LogStorage,
} from '../../../src/storage/contract.js'
import { NaivePartition } from '../../../src/storage/test-suite/naive-partition.js'
import { SeededRandom } from '../../support/seeded-random.js'

/** The partitions that are written, of two topics. */
export const PARTITION_IDS: readonly PartitionId[] = [
  { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 },
  { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 1 },
  { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 7 },
  { topicId: 'x9JkR2wQTdKzVbUe1mN0Pg', partition: 0 },
]

/** How many steps of a partition are begun and not yet over, at most. */
export const MAX_IN_FLIGHT = 8
/** Beyond this a partition is cut from its start, so that a round stays small. */
const MAX_PARTITION_BYTES = 768 * 1024
/** Of writers that ask for both durabilities. */
const FLUSH_ONE_IN = 16
const BLOB_NAMES = ['checkpoint', 'producers', 'epochs', 'x']

/** One step. */
export type Step =
  | {
      readonly kind: 'append'
      readonly batches: readonly BatchWrite[]
      readonly blobs: BlobChanges
      readonly newSegment: boolean
      readonly isFlushed: boolean
    }
  | { readonly kind: 'suffix'; readonly endOffset: number; readonly blobs: BlobChanges }
  | { readonly kind: 'prefix'; readonly startOffset: number; readonly blobs: BlobChanges }
  | {
      readonly kind: 'replace'
      readonly fromOffset: number
      readonly toOffset: number
      readonly batches: readonly BatchWrite[]
      readonly blobs: BlobChanges
    }
  | { readonly kind: 'blobs'; readonly blobs: BlobChanges; readonly isFlushed: boolean }
  | { readonly kind: 'delete' }

/** The kinds of step; `roll` is an append that begins a segment. */
export type StepKind = Step['kind'] | 'roll'

/** What writers ask for: one durability throughout, or `'os'` and now and then `'fsync'`. */
export type Asked = Durability | 'mixed'

/** What a step asks for; undefined for one that cannot ask, and is safe with the next that does. */
export const durabilityOf = (step: Step, asked: Asked): Durability | undefined => {
  if (step.kind !== 'append' && step.kind !== 'blobs') return undefined
  if (asked !== 'mixed') return asked
  return step.isFlushed ? 'fsync' : 'os'
}

/** A model like another, which goes its own way from here. */
export const copyOf = (model: NaivePartition): NaivePartition => Object.assign(new NaivePartition(), model)

/** The script of one partition in one round. */
export class Script {
  /** What the partition holds once every step so far is done. */
  readonly model: NaivePartition
  readonly #random: SeededRandom

  /** Begins with what `model` holds; it is changed from here on. */
  constructor(seed: number, round: number, partition: number, model: NaivePartition) {
    this.model = model
    this.#random = new SeededRandom(seed + round * 7919 + partition * 104729)
  }

  /** The next step, of `kind` if one is asked for; the model has done it when this returns. */
  next(kind: StepKind = this.#kind()): Step {
    const step = this.#draw(kind)
    if (step.kind === 'append') this.model.append(step.batches, step.blobs)
    else if (step.kind === 'suffix') this.model.truncateSuffix(step.endOffset, step.blobs)
    else if (step.kind === 'prefix') this.model.truncatePrefix(step.startOffset, step.blobs)
    else if (step.kind === 'replace')
      this.model.replace(step.fromOffset, step.toOffset, step.batches, step.blobs)
    else if (step.kind === 'blobs') this.model.change(step.blobs)
    else Object.assign(this.model, new NaivePartition())
    return step
  }

  #kind(): StepKind {
    const { sizeBytes } = this.model.state
    if (sizeBytes > MAX_PARTITION_BYTES) return 'prefix'
    const draw = this.#random.below(1000)
    if (draw < 800) return 'append'
    if (draw < 850) return 'suffix'
    if (draw < 890) return 'prefix'
    if (draw < 930) return 'replace'
    return draw < 995 ? 'blobs' : 'delete'
  }

  #draw(kind: StepKind): Step {
    const { startOffset, endOffset, batches } = this.model
    const random = this.#random
    switch (kind) {
      case 'append':
      case 'roll':
        return {
          kind: 'append',
          batches: this.#run(endOffset),
          blobs: this.#blobs(4),
          newSegment: kind === 'roll' || random.below(40) === 0,
          isFlushed: random.below(FLUSH_ONE_IN) === 0,
        }
      case 'suffix': {
        const back = random.below(random.below(4) === 0 ? endOffset - startOffset + 1 : 40)
        return { kind, endOffset: Math.max(startOffset, endOffset - back), blobs: this.#blobs(2) }
      }
      case 'prefix': {
        const length = endOffset - startOffset
        const share = this.model.state.sizeBytes > MAX_PARTITION_BYTES ? length : length * random.next()
        return { kind, startOffset: startOffset + Math.floor(share * random.next()), blobs: this.#blobs(2) }
      }
      case 'replace': {
        const first = random.below(batches.length + 1)
        const after = Math.min(batches.length, first + random.below(12))
        const fromOffset = batches[first]?.baseOffset ?? endOffset
        const toOffset = batches[after]?.baseOffset ?? endOffset
        const kept = batches.slice(first, after).filter(() => random.below(3) > 0)
        const replacing = kept.map(({ baseOffset, lastOffset }) =>
          this.#batch(baseOffset, lastOffset - baseOffset + 1),
        )
        return { kind, fromOffset, toOffset, batches: replacing, blobs: this.#blobs(2) }
      }
      case 'blobs':
        return { kind, blobs: this.#blobs(1), isFlushed: random.below(FLUSH_ONE_IN) === 0 }
      case 'delete':
        return { kind }
    }
  }

  /** A few batches that abut. */
  #run(endOffset: number): BatchWrite[] {
    const batches: BatchWrite[] = []
    let offset = endOffset
    for (let left = 1 + this.#random.below(this.#random.below(3) === 0 ? 12 : 2); left > 0; left--) {
      const batch = this.#batch(offset, 1 + this.#random.below(20))
      batches.push(batch)
      offset = batch.lastOffset + 1
    }
    return batches
  }

  #batch(baseOffset: number, count: number): BatchWrite {
    const draw = this.#random.below(100)
    const sizeBytes =
      HEADER_BYTES + 4 + this.#random.below(draw < 75 ? 400 : draw < 98 ? 8 * 1024 : 100 * 1024)
    const maxTimestamp = baseOffset * 10 + this.#random.below(100)
    const bytes = contentOf(this.#random.below(2 ** 32), sizeBytes)
    return asBatch(bytes, baseOffset, count, maxTimestamp)
  }

  #blobs(oneIn: number): BlobChanges {
    if (this.#random.below(oneIn) > 0) return {}
    const changes: Record<string, Uint8Array | null> = {}
    for (let left = 1 + this.#random.below(2); left > 0; left--) {
      const isRemoved = this.#random.below(6) === 0
      const content = contentOf(this.#random.below(2 ** 32), 4 + this.#random.below(600))
      changes[this.#random.oneOf(BLOB_NAMES)] = isRemoved ? null : content
    }
    return changes
  }
}

/** Makes a valid batch of `bytes`, whose first 61 its header takes; none of its records could be read. */
export const asBatch = (
  bytes: Uint8Array,
  baseOffset: number,
  count: number,
  maxTimestamp: number,
): BatchWrite => {
  writeHeader(bytes, bytes.length, {
    baseOffset,
    leaderEpoch: 0,
    attributes: 0,
    lastOffsetDelta: count - 1,
    baseTimestamp: maxTimestamp,
    maxTimestamp,
    producerId: -1,
    producerEpoch: -1,
    baseSequence: -1,
    recordCount: count,
  })
  return { baseOffset, lastOffset: baseOffset + count - 1, maxTimestamp, sizeBytes: bytes.length, bytes }
}

/** Bytes that only `stamp` makes. */
const contentOf = (stamp: number, length: number): Uint8Array => {
  const words = new Uint32Array(Math.ceil(length / 4))
  let word = stamp | 1
  for (let at = 0; at < words.length; at++) {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    words[at] = word
  }
  words[0] = stamp
  return new Uint8Array(words.buffer, 0, length)
}

/** Does `step` to a partition of `storage`. */
export const perform = async (
  storage: LogStorage,
  partition: PartitionStorage,
  step: Step,
  asked: Asked,
): Promise<void> => {
  const durability = durabilityOf(step, asked) ?? 'os'
  switch (step.kind) {
    case 'append':
      return partition.append(step.batches, { durability, blobs: step.blobs, newSegment: step.newSegment })
    case 'suffix':
      return partition.truncateSuffix(step.endOffset, step.blobs)
    case 'prefix':
      return partition.truncatePrefix(step.startOffset, step.blobs)
    case 'replace':
      return partition.replace(step.fromOffset, step.toOffset, step.batches, step.blobs)
    case 'blobs':
      return partition.writeBlobs(step.blobs, durability)
    case 'delete':
      return storage.deletePartition(partition.id)
  }
}

/** What a partition holds, for a script to begin with; the bytes of batches do not matter to it. */
export const modelOf = async (partition: PartitionStorage): Promise<NaivePartition> => {
  const model = new NaivePartition()
  const infos: readonly BatchInfo[] = await partition.infos(0, Infinity)
  model.batches = infos.map((info) => ({ ...info, bytes: new Uint8Array(0) }))
  model.startOffset = partition.state.startOffset
  model.endOffset = partition.state.endOffset
  for (const name of BLOB_NAMES) {
    const blob = await partition.readBlob(name)
    if (blob !== undefined) model.change({ [name]: blob })
  }
  return model
}

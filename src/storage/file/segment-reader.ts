/** Finds and reads batches in a partition's segments. */
import { HEADER_BYTES } from '../../record/header.js'
import type { BatchInfo, StoredBatch } from '../contract.js'
import { corruptSegment, readExactly, readInfo, walkBatches } from './batch-walk.js'
import type { FileEngine } from './file-engine.js'
import type { PartitionFolder } from './partition-folder.js'
import { segmentIndexOf, segmentsOf, type PartitionMeta, type Segment } from './partition-meta.js'
import { INTERVAL_BYTES } from './sparse-index.js'

/** How much one read of a file takes at most, unless a batch is larger. */
const MAX_READ_BYTES = 8 * 1024 * 1024

/** A place between two batches of a segment. */
export interface Place {
  readonly position: number
  /** How many batches of the segment stand before it. */
  readonly batchCount: number
}

/** Reads one partition. */
export class SegmentReader {
  readonly #engine: FileEngine
  readonly #folder: PartitionFolder

  constructor(engine: FileEngine, folder: PartitionFolder) {
    this.#engine = engine
    this.#folder = folder
  }

  /** As the contract's `read`, of the state `meta`. */
  async read(meta: PartitionMeta, fromOffset: number, maxBytes: number): Promise<StoredBatch[]> {
    const from = Math.max(fromOffset, meta.startOffset)
    const segments = segmentsOf(meta)
    const found: StoredBatch[] = []
    let left = maxBytes
    for (let index = segmentIndexOf(segments, from); index < segments.length; index++) {
      const segment = segments[index]
      if (segment === undefined) break
      left = await this.#readSegment(segment, from, left, found)
      if (left < HEADER_BYTES && found.length > 0) break
    }
    return found
  }

  /** As the contract's `infos`, of the state `meta`. */
  async infos(meta: PartitionMeta, fromOffset: number, maxCount: number): Promise<BatchInfo[]> {
    const from = Math.max(fromOffset, meta.startOffset)
    const segments = segmentsOf(meta)
    const found: BatchInfo[] = []
    for (let index = segmentIndexOf(segments, from); index < segments.length; index++) {
      const segment = segments[index]
      if (segment === undefined || found.length >= maxCount) break
      const { position } = (await this.#folder.indexes.of(segment)).floor(from)
      await this.#walk(segment, position, (info) => {
        if (info.lastOffset >= from) found.push(info)
        return found.length < maxCount
      })
    }
    return found
  }

  /** As the contract's `findByTimestamp`, of the state `meta`. */
  async findByTimestamp(
    meta: PartitionMeta,
    timestamp: number,
    fromOffset: number,
  ): Promise<BatchInfo | undefined> {
    const from = Math.max(fromOffset, meta.startOffset)
    const segments = segmentsOf(meta)
    let found: BatchInfo | undefined
    for (let index = segmentIndexOf(segments, from); index < segments.length; index++) {
      const segment = segments[index]
      if (segment === undefined || segment.maxTimestamp < timestamp) continue
      const sparse = await this.#folder.indexes.of(segment)
      let entry = sparse.byTimestamp(timestamp, sparse.floor(from).position)
      while (entry !== undefined && entry.position < segment.sizeBytes) {
        const blockEnd = entry.position + INTERVAL_BYTES
        await this.#walk(segment, entry.position, (info, position) => {
          if (position >= blockEnd) return false
          if (info.lastOffset >= from && info.maxTimestamp >= timestamp) found = info
          return found === undefined
        })
        if (found !== undefined) return found
        entry = sparse.byTimestamp(timestamp, blockEnd)
      }
    }
    return found
  }

  /** Before the first batch of the segment of which `isIt` says so, from the one that holds `offset` on; or its end. */
  async locate(segment: Segment, offset: number, isIt: (info: BatchInfo) => boolean): Promise<Place> {
    const entry = (await this.#folder.indexes.of(segment)).floor(offset)
    let place: Place | undefined
    let { batchCount } = entry
    await this.#walk(segment, entry.position, (info, position) => {
      if (isIt(info)) place = { position, batchCount }
      batchCount++
      return place === undefined
    })
    return place ?? { position: segment.sizeBytes, batchCount: segment.batchCount }
  }

  /** The segment up to `place`, which is not its beginning. */
  async upTo(segment: Segment, place: Place): Promise<Segment> {
    const entry = (await this.#folder.indexes.of(segment)).before(place.position)
    let { lastOffset } = segment
    await this.#walk(segment, entry.position, (info, position) => {
      if (position < place.position) ({ lastOffset } = info)
      return position < place.position
    })
    // The largest timestamp stays as a bound from above: it only ever rules a segment out.
    return { ...segment, lastOffset, sizeBytes: place.position, batchCount: place.batchCount }
  }

  /** Reads from one segment into `found`, and answers how many bytes may follow. */
  async #readSegment(
    segment: Segment,
    from: number,
    maxBytes: number,
    found: StoredBatch[],
  ): Promise<number> {
    const path = this.#folder.segmentPath(segment.baseOffset)
    const { sizeBytes: end } = segment
    const entry = (await this.#folder.indexes.of(segment)).floor(from)
    let { position } = entry
    let left = maxBytes
    let atLeast = HEADER_BYTES
    // What is passed over, from the entry to the batch that is looked for, is no part of the answer.
    let passedOver = entry.baseOffset < from ? INTERVAL_BYTES : 0
    return this.#engine.open.use(path, async (file) => {
      while (position < end) {
        const wanted = Math.max(atLeast, Math.min(left + passedOver, MAX_READ_BYTES))
        const bytes = await readExactly(file, path, position, Math.min(wanted, end - position))
        const start = position
        atLeast = HEADER_BYTES
        passedOver = 0
        while (position < end && position - start + HEADER_BYTES <= bytes.length) {
          const info = readInfo(bytes.subarray(position - start), path, position, end)
          if (info.lastOffset >= from) {
            if (info.sizeBytes > left && found.length > 0) return 0
            if (position - start + info.sizeBytes > bytes.length) {
              atLeast = info.sizeBytes
              break
            }
            const at = position - start
            const before = found.at(-1)
            if (before !== undefined && before.lastOffset >= info.baseOffset)
              throw corruptSegment(path, position, `offset ${info.baseOffset} follows ${before.lastOffset}`)
            found.push({ ...info, bytes: bytes.subarray(at, at + info.sizeBytes) })
            left -= info.sizeBytes
            if (left < HEADER_BYTES) return 0
          }
          position += info.sizeBytes
        }
      }
      return left
    })
  }

  #walk(
    segment: Segment,
    from: number,
    visit: (info: BatchInfo, position: number) => boolean,
  ): Promise<void> {
    const path = this.#folder.segmentPath(segment.baseOffset)
    return this.#engine.open.use(path, async (file) => {
      for await (const { info, position } of walkBatches(file, { path, from, to: segment.sizeBytes })) {
        if (!visit(info, position)) return
      }
    })
  }
}

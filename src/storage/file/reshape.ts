/** What truncations and replacements make of a partition's segments. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { OpenFile } from '../../runtime/files.js'
import { assertWhole } from '../batch-order.js'
import type { BatchInfo, BatchWrite } from '../contract.js'
import { walkBatches } from './batch-walk.js'
import type { FileEngine } from './file-engine.js'
import { SWAP_SUFFIX } from './file-names.js'
import type { PartitionFolder } from './partition-folder.js'
import {
  grown,
  segmentIndexOf,
  segmentsOf,
  withSegments,
  type PartitionMeta,
  type Segment,
} from './partition-meta.js'
import type { SegmentReader } from './segment-reader.js'

/** How much of a new segment is gathered for one write. */
const WRITE_BYTES = 4 * 1024 * 1024
/** What a replacement writes is split into segments no larger than the largest it replaces, or this. */
const MIN_SEGMENT_BYTES = 1024 * 1024
/** And no larger than this: the next replacement, which has to write whole segments, concerns what lies behind it. */
const MAX_SEGMENT_BYTES = 16 * 1024 * 1024

/** The state without the batches that reach `endOffset`. */
export const withoutSuffix = async (
  reader: SegmentReader,
  meta: PartitionMeta,
  endOffset: number,
): Promise<PartitionMeta> => {
  const segments = segmentsOf(meta)
  const index = segmentIndexOf(segments, endOffset)
  const kept = segments.slice(0, index)
  const cut = segments[index]
  if (cut !== undefined) {
    const place = await reader.locate(cut, endOffset, ({ lastOffset }) => lastOffset >= endOffset)
    if (place.position > (index === 0 ? meta.head.position : 0)) kept.push(await reader.upTo(cut, place))
  }
  const end = Math.max(meta.startOffset, (kept.at(-1)?.lastOffset ?? -1) + 1)
  return withSegments(kept, { startOffset: meta.startOffset, endOffset: end }, meta.head)
}

/** The state with a higher start. */
export const withoutPrefix = async (
  reader: SegmentReader,
  meta: PartitionMeta,
  startOffset: number,
): Promise<PartitionMeta> => {
  const segments = segmentsOf(meta)
  const kept = segments.slice(segmentIndexOf(segments, startOffset))
  const [first] = kept
  const head =
    first && (await reader.locate(first, startOffset, ({ lastOffset }) => lastOffset >= startOffset))
  return withSegments(kept, { startOffset, endOffset: meta.endOffset }, head)
}

/** What a replacement comes to; the new segments are on the disk, beside those whose place they take. */
export interface Replacement {
  readonly meta: PartitionMeta
  readonly replaced: readonly Segment[]
  readonly written: readonly Segment[]
}

/** Writes the segments that a replacement changes anew. */
export const replaceBatches = async (
  engine: FileEngine,
  folder: PartitionFolder,
  { meta, fromOffset, toOffset }: { meta: PartitionMeta; fromOffset: number; toOffset: number },
  batches: readonly BatchWrite[],
): Promise<Replacement> => {
  const segments = segmentsOf(meta)
  const first = Math.min(
    segmentIndexOf(segments, Math.max(fromOffset, meta.startOffset)),
    Math.max(0, segments.length - 1),
  )
  let after = first
  while ((segments[after]?.baseOffset ?? Infinity) < toOffset) after++
  after = Math.max(after, Math.min(first + 1, segments.length))
  const replaced = segments.slice(first, after)
  const writer = new SwapWriter(
    engine,
    folder,
    Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SEGMENT_BYTES, ...replaced.map(({ sizeBytes }) => sizeBytes))),
  )
  let isInserted = false
  const insert = async (): Promise<void> => {
    if (isInserted) return
    isInserted = true
    for (const batch of batches) await writer.add(batch, batch.bytes)
  }
  try {
    for (const [index, { baseOffset, sizeBytes }] of replaced.entries()) {
      const path = folder.segmentPath(baseOffset)
      const from = first + index === 0 ? meta.head.position : 0
      await engine.open.use(path, async (file) => {
        for await (const { info, bytes } of walkBatches(file, { path, from, to: sizeBytes, isWhole: true })) {
          if (info.baseOffset >= toOffset) await insert()
          else if (info.lastOffset >= fromOffset) {
            assertWhole([info], fromOffset, toOffset)
            continue
          }
          await writer.add(info, bytes)
        }
      })
    }
    await insert()
    const written = await writer.finish()
    const all = [...segments.slice(0, first), ...written, ...segments.slice(after)]
    const head = first === 0 ? undefined : meta.head
    return {
      meta: withSegments(all, { startOffset: meta.startOffset, endOffset: meta.endOffset }, head),
      replaced,
      written,
    }
  } finally {
    await writer.close()
  }
}

/** Writes new segments under names of their own. */
class SwapWriter {
  readonly #engine: FileEngine
  readonly #folder: PartitionFolder
  readonly #maxBytes: number
  readonly #segments: Segment[] = []
  #pieces: Uint8Array[] = []
  #pieceBytes = 0
  /** Opened by itself: who walks through the old segments holds one of the places among the open files. */
  #file: OpenFile | undefined

  constructor(engine: FileEngine, folder: PartitionFolder, maxBytes: number) {
    this.#engine = engine
    this.#folder = folder
    this.#maxBytes = maxBytes
  }

  async add(info: BatchInfo, bytes: Uint8Array): Promise<void> {
    const last = this.#segments.at(-1)
    if (last === undefined || last.sizeBytes + info.sizeBytes > this.#maxBytes) {
      await this.#flush(true)
      this.#segments.push(grown(undefined, info))
    } else {
      this.#segments[this.#segments.length - 1] = grown(last, info)
    }
    this.#pieces.push(bytes)
    this.#pieceBytes += bytes.length
    if (this.#pieceBytes >= WRITE_BYTES) await this.#flush(false)
  }

  async finish(): Promise<readonly Segment[]> {
    await this.#flush(true)
    return this.#segments
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  async #flush(isLast: boolean): Promise<void> {
    const segment = this.#segments.at(-1)
    if (segment === undefined) return
    const position = segment.sizeBytes - this.#pieceBytes
    const path = `${this.#folder.segmentPath(segment.baseOffset)}${SWAP_SUFFIX}`
    await this.#engine.writing(async () => {
      this.#file ??= await this.#engine.files.open(path, 'create')
      await this.#file.write(this.#pieces, position)
      if (isLast) await this.#file.datasync()
    })
    this.#pieces = []
    this.#pieceBytes = 0
    if (isLast) await this.close()
  }
}

/** Puts the new segments in the place of the old. The snapshot between decides which of them count after a crash. */
export const swap = async (
  engine: FileEngine,
  folder: PartitionFolder,
  { meta, replaced, written }: Replacement,
  commit: (swapped: readonly number[]) => Promise<void>,
): Promise<void> => {
  const names = written.map(({ baseOffset }) => baseOffset)
  await engine.files.syncDirectory(folder.path)
  await folder.indexes.remove(replaced.map(({ baseOffset }) => baseOffset))
  await commit(names)
  for (const baseOffset of names) {
    const path = folder.segmentPath(baseOffset)
    engine.open.forget(path)
    engine.forget(path)
    if (!(await engine.files.rename(`${path}${SWAP_SUFFIX}`, path)))
      throw new OttlaError('STORAGE_FAILED', `The new segment ${path}${SWAP_SUFFIX} is gone.`)
  }
  await folder.removeSegments(
    replaced.map(({ baseOffset }) => baseOffset).filter((baseOffset) => !names.includes(baseOffset)),
  )
  // A later draft of the same name must not be taken for one that was committed.
  await folder.snapshot(meta)
}

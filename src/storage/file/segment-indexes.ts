/** The sparse indexes of a partition's segments: the one that grows with the appends, and those that are beside it. */
import type { FileEngine } from './file-engine.js'
import { indexFile, segmentFile } from './file-names.js'
import type { PlacedBatch } from './partition-folder.js'
import { segmentsOf, type PartitionMeta, type Segment } from './partition-meta.js'
import { SparseIndex } from './sparse-index.js'

/** The indexes in one folder. */
export class SegmentIndexes {
  readonly #engine: FileEngine
  readonly #folder: string
  /** The one of the segment that is appended to. */
  #growing: { readonly segment: number; readonly index: SparseIndex } | undefined

  constructor(engine: FileEngine, folder: string) {
    this.#engine = engine
    this.#folder = folder
  }

  /** The index of a segment. */
  async of(segment: Segment): Promise<SparseIndex> {
    const { baseOffset } = segment
    if (this.#growing?.segment === baseOffset) return this.#growing.index
    return this.#engine.index(this.#segmentPath(baseOffset), this.#path(baseOffset), segment)
  }

  /** Adds batches that were appended to the partition when it was as `meta` says. */
  async add(batches: readonly PlacedBatch[], meta: PartitionMeta): Promise<void> {
    for (const { segment, position, batch } of batches) {
      if (position === 0) {
        await this.saveGrowing()
        this.#growing = { segment, index: new SparseIndex() }
      } else if (this.#growing?.segment !== segment) {
        const found = segmentsOf(meta).find(({ baseOffset }) => baseOffset === segment)
        if (found !== undefined) this.#growing = { segment, index: await this.of(found) }
      }
      if (this.#growing?.index.position === position) this.#growing.index.add(batch)
    }
  }

  /** Writes the one that grows beside its segment. */
  async saveGrowing(): Promise<void> {
    const growing = this.#growing
    if (growing === undefined) return
    this.#engine.keep(this.#segmentPath(growing.segment), growing.index)
    await this.#engine.save(this.#path(growing.segment), growing.index)
  }

  /** Removes those of segments that are no more, or have become others. */
  async remove(baseOffsets: readonly number[]): Promise<void> {
    for (const baseOffset of baseOffsets) {
      if (this.#growing?.segment === baseOffset) this.#growing = undefined
      this.#engine.forget(this.#segmentPath(baseOffset))
      await this.#engine.files.remove(this.#path(baseOffset))
    }
  }

  #segmentPath(baseOffset: number): string {
    return `${this.#folder}/${segmentFile(baseOffset)}`
  }

  #path(baseOffset: number): string {
    return `${this.#folder}/${indexFile(baseOffset)}`
  }
}

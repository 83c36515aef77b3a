/**
 * What a repair cut off, in a folder: `<topic>-<partition>/<first offset>.log` holds the batches as they are, one after
 * another, which is what a segment file of Kafka's holds; a `.json` beside it says what was damaged.
 */
import { toUtf8 } from '../../runtime/bytes.js'
import type { Files } from '../../runtime/files.js'
import type { PartitionRepair } from './repair-partition.js'

/** The digits of an offset in a file's name, as Kafka has them. */
const NAME_DIGITS = 20

/** Writes them down, each file safe on the disk before anything is cut off. */
export class KeptBatches {
  readonly #files: Files
  readonly #directory: string
  #pieces = 0
  #path: string | undefined
  #position = 0

  /** @param directory the partition's own folder; made when there is something to keep. */
  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** Appends batches to the file, and waits until they are on the disk. */
  async keep(batches: readonly Uint8Array[]): Promise<void> {
    const path = (this.#path ??= `${this.#directory}/cut-off.partial`)
    await this.#files.makeDirectory(this.#directory)
    const file = await this.#files.open(path, this.#pieces++ === 0 ? 'create' : 'existing')
    try {
      await file.write(batches, this.#position)
      for (const { length } of batches) this.#position += length
      await file.datasync()
    } finally {
      await file.close()
    }
  }

  /** Gives the file its name, and writes the note beside it. */
  async finish(repair: PartitionRepair): Promise<void> {
    const base = `${this.#directory}/${String(repair.lostFrom).padStart(NAME_DIGITS, '0')}`
    await this.#files.makeDirectory(this.#directory)
    if (this.#path !== undefined) await this.#files.rename(this.#path, `${base}.log`)
    await this.#files.createExclusive(`${base}.json`, toUtf8(`${JSON.stringify(repair, undefined, 2)}\n`))
    await this.#files.syncDirectory(this.#directory)
  }
}

/** How far work on a whole log has come. */
import type { LogStorage, PartitionId } from '../../storage/contract.js'

/** How far it has come; told after every slice. What is appended meanwhile may lift the numbers over the totals. */
export interface LogProgress {
  /** How many partitions there are to go through. */
  readonly partitions: number
  /** How many of them are done. */
  readonly partitionsDone: number
  /** The bytes of all their batches when the work began. */
  readonly bytes: number
  /** How many of them are done. */
  readonly bytesDone: number
}

/** How to work on a whole log. */
export interface LogWorkOptions {
  /** Gives up; the call then throws the signal's reason. */
  readonly signal?: AbortSignal
  /** Is told how far it has come. */
  readonly onProgress?: (progress: LogProgress) => void
}

/** Counts what is done, and tells. */
export class ProgressCount {
  readonly #onProgress: LogWorkOptions['onProgress']
  readonly #partitions: number
  readonly #bytes: number
  #partitionsDone = 0
  #bytesDone = 0

  private constructor(partitions: number, bytes: number, onProgress: LogWorkOptions['onProgress']) {
    this.#partitions = partitions
    this.#bytes = bytes
    this.#onProgress = onProgress
  }

  /** Asks the storage how much there is to do. One that cannot be opened counts as empty. */
  static async over(
    storage: LogStorage,
    ids: readonly PartitionId[],
    { signal, onProgress }: LogWorkOptions,
  ): Promise<ProgressCount> {
    let bytes = 0
    for (const id of ids) {
      signal?.throwIfAborted()
      const partition = await storage.partition(id).catch(() => undefined)
      bytes += partition?.state.sizeBytes ?? 0
    }
    return new ProgressCount(ids.length, bytes, onProgress)
  }

  /** Notes `bytes` more. */
  addBytes(bytes: number): void {
    this.#bytesDone += bytes
    this.#tell()
  }

  /** Notes that another partition is done. */
  addPartition(): void {
    this.#partitionsDone++
    this.#tell()
  }

  #tell(): void {
    this.#onProgress?.({
      partitions: this.#partitions,
      partitionsDone: this.#partitionsDone,
      bytes: this.#bytes,
      bytesDone: this.#bytesDone,
    })
  }
}

/**
 * Verifying one partition: its batches are read through once, proved, and added up; then the storage's books, its time
 * index and the checkpoint are held against the sum. Nothing is written, so it may run beside everything else.
 */
import { openBatch } from '../../record/decode.js'
import { yieldToEventLoop, type Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { PartitionStorage, StoredBatch } from '../../storage/contract.js'
import { CHECKPOINT_BLOB, decodeCheckpoint, type Checkpoint } from '../checkpoint.js'
import { loadCompaction } from '../compaction/compaction-state.js'
import { EpochCache } from '../epoch-cache.js'
import { ProducerState } from '../producer-state.js'
import { validateStored } from '../stored-batch.js'
import { checkpointMismatch } from './checkpoint-check.js'
import { TimeSamples } from './time-samples.js'
import { MAX_PROBLEMS, type LogProblem, type PartitionReport, type ProblemCode } from './verify-report.js'

/** How much is read and proved before the event loop has its turn. */
const SLICE_BYTES = 256 * 1024

/** How to verify a partition. */
export interface VerifyPartitionOptions {
  readonly topic: string
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  readonly onBytes?: (bytes: number) => void
}

/** Reads the partition through and tells what is wrong with it. @throws the signal's reason when that aborts. */
export const verifyPartition = (
  storage: PartitionStorage,
  options: VerifyPartitionOptions,
): Promise<PartitionReport> => new PartitionWalk(storage, options).run()

/** Here a producer is only watched for its sequence; whether it is in a transaction makes no difference. */
const NO_TRANSACTIONS = { isOpen: () => false }

class PartitionWalk {
  readonly #storage: PartitionStorage
  readonly #options: VerifyPartitionOptions
  readonly #name: string
  readonly #problems: LogProblem[] = []
  #problemCount = 0
  readonly #epochs = new EpochCache()
  readonly #producers: ProducerState
  readonly #times = new TimeSamples()
  #batches = 0
  #records = 0
  #bytes = 0

  constructor(storage: PartitionStorage, options: VerifyPartitionOptions) {
    this.#storage = storage
    this.#options = options
    this.#name = `${options.topic}-${storage.id.partition}`
    this.#producers = new ProducerState(this.#name)
  }

  async run(): Promise<PartitionReport> {
    // The checkpoint before the end: it is never newer than the batches that were written with it.
    const checkpoint = await this.#checkpoint()
    const before = { ...this.#storage.state }
    const { startOffset, endOffset } = before
    if (checkpoint !== undefined && checkpoint.recoveryPoint > endOffset) {
      const message = `the log ends here, but offsets up to ${checkpoint.recoveryPoint - 1} were stored`
      this.#add('BATCH_MISSING', endOffset, message)
    }
    await this.#walk(startOffset, endOffset, checkpoint)
    const after = this.#storage.state
    const isQuiet = (['startOffset', 'endOffset', 'sizeBytes', 'batchCount'] as const).every(
      (key) => before[key] === after[key],
    )
    if (isQuiet) {
      if (before.sizeBytes !== this.#bytes || before.batchCount !== this.#batches) {
        const message = `the storage counts ${before.batchCount} batches of ${before.sizeBytes} bytes, but ${this.#batches} of ${this.#bytes} are there`
        this.#add('STATE_MISMATCH', startOffset, message)
      }
      // Which timestamps the batches have that could not be read is not known.
      const sawAll = this.#problems.every(({ code }) => code !== 'UNREADABLE')
      const wrong = sawAll ? await this.#times.firstWrong(this.#storage, startOffset) : undefined
      if (wrong !== undefined) this.#add('TIME_INDEX_MISMATCH', wrong.offset, wrong.message)
    }
    return {
      topic: this.#options.topic,
      partition: this.#storage.id.partition,
      startOffset,
      endOffset,
      batches: this.#batches,
      records: this.#records,
      bytes: this.#bytes,
      problems: this.#problems,
      problemCount: this.#problemCount,
    }
  }

  async #checkpoint(): Promise<Checkpoint | undefined> {
    const blob = await this.#storage.readBlob(CHECKPOINT_BLOB)
    const checkpoint = blob && decodeCheckpoint(blob)
    if (blob !== undefined && checkpoint === undefined) {
      this.#add('CHECKPOINT_DAMAGED', -1, 'the checkpoint cannot be read; opening rebuilds it')
    }
    return checkpoint
  }

  async #walk(startOffset: number, endOffset: number, checkpoint: Checkpoint | undefined): Promise<void> {
    const { clock, signal, onBytes } = this.#options
    let offset = startOffset
    let first = true
    let isCompared = checkpoint === undefined
    const compare = async (): Promise<void> => {
      // What a damaged or missing batch said of producers is not known: the rebuild would prove nothing.
      if (isCompared || checkpoint === undefined || offset < checkpoint.recoveryPoint) return
      isCompared = true
      if (this.#problemCount > 0) return
      // What was compacted away since the walk began may have been the first batch of an epoch.
      const compared = { ...checkpoint, gapsBelow: await this.#gapsBelow() }
      const wrong = checkpointMismatch(compared, this.#epochs, this.#producers, startOffset)
      if (wrong !== undefined) this.#add('CHECKPOINT_MISMATCH', checkpoint.recoveryPoint, wrong)
    }
    await compare()
    while (offset < endOffset) {
      signal?.throwIfAborted()
      const batches = await this.#read(offset)
      if (batches.length === 0) {
        // Retention may have dropped what was to be read next.
        if (this.#storage.state.startOffset > offset) {
          offset = this.#storage.state.startOffset
          first = true
          continue
        }
        if (offset < (await this.#gapsBelow()) || this.#problems.at(-1)?.code === 'UNREADABLE') return
        this.#add('BATCH_MISSING', offset, `nothing is stored up to ${endOffset - 1}, where the log ends`)
        return
      }
      let sliceBytes = 0
      for (const batch of batches) {
        const { baseOffset, lastOffset, sizeBytes } = batch
        if (baseOffset >= endOffset) break
        await this.#checkPlace(batch, offset, first)
        first = false
        await this.#checkBatch(batch)
        this.#batches++
        this.#bytes += sizeBytes
        sliceBytes += sizeBytes
        offset = Math.max(offset, lastOffset + 1)
        await compare()
      }
      if (sliceBytes === 0) return
      onBytes?.(sliceBytes)
      await yieldToEventLoop(clock)
    }
  }

  /** What can be read from `offset` on. Where a slice cannot, it is tried batch by batch, and what fails is named. */
  async #read(offset: number): Promise<readonly StoredBatch[]> {
    for (let from = offset; ;) {
      try {
        return await this.#storage.read(from, from === offset ? SLICE_BYTES : 1)
      } catch (error) {
        this.#options.signal?.throwIfAborted()
        const details = OttlaError.is(error) ? error.details : {}
        this.#add('UNREADABLE', from, error instanceof Error ? error.message : String(error), details)
        const [info] = await this.#storage.infos(from, 1).catch(() => [])
        if (info === undefined || this.#problemCount > MAX_PROBLEMS) return []
        from = info.lastOffset + 1
      }
    }
  }

  async #checkPlace({ baseOffset, lastOffset }: StoredBatch, offset: number, first: boolean): Promise<void> {
    const fits = first ? baseOffset <= offset && offset <= lastOffset : baseOffset === offset
    if (fits) return
    if (baseOffset > offset) {
      const { startOffset } = this.#storage.state
      if (baseOffset <= (await this.#gapsBelow()) || startOffset > offset) return
      if (this.#problems.at(-1)?.code === 'UNREADABLE') return
    }
    const message = `the batch of offsets ${baseOffset} to ${lastOffset} stands where that one should`
    this.#add('BATCH_MISSING', Math.min(offset, baseOffset), message)
  }

  /** Read anew: compaction may have gone on since. */
  async #gapsBelow(): Promise<number> {
    return (await loadCompaction(this.#storage)).gapsBelow
  }

  async #checkBatch(batch: StoredBatch): Promise<void> {
    const { baseOffset, lastOffset } = batch
    // Damage in its bytes does not change what the storage's index knows of it.
    this.#times.add(batch)
    try {
      const header = validateStored(this.#name, batch)
      const cursor = await openBatch(batch.bytes)
      while (cursor.next()) this.#records++
      if (header.maxTimestamp !== batch.maxTimestamp) {
        const message = `the storage notes the timestamp ${batch.maxTimestamp}, but the batch has ${header.maxTimestamp}`
        this.#add('STATE_MISMATCH', baseOffset, message)
      }
      const { partitionLeaderEpoch: epoch, producerId, maxTimestamp } = header
      const { latestEpoch } = this.#epochs
      if (epoch < latestEpoch) {
        this.#add('EPOCH_DECREASES', baseOffset, `its epoch ${epoch} follows epoch ${latestEpoch}`)
      }
      this.#epochs.assign(epoch, baseOffset)
      if (producerId >= 0) {
        this.#producers.apply(header, baseOffset, lastOffset, maxTimestamp, 0)
        this.#producers.forgetIdlest(NO_TRANSACTIONS)
      }
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      const details = OttlaError.is(error) ? error.details : {}
      this.#add('BATCH_DAMAGED', baseOffset, cause instanceof Error ? cause.message : String(cause), details)
    }
  }

  #add(code: ProblemCode, offset: number, message: string, details: LogProblem['details'] = {}): void {
    this.#problemCount++
    if (this.#problems.length < MAX_PROBLEMS) this.#problems.push({ code, offset, message, details })
  }
}

/** Reading a partition without a consumer or a group: what `Partition.read` does. */
import { onAbort } from '../../runtime/abort.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { checkOptions, customOption, signalOption } from '../../runtime/options.js'
import type { ClientContext } from '../context.js'
import type { Message } from '../message.js'
import { withRetries } from '../retry.js'
import type { AnyTopic, PartitionReader, ReadOptions } from '../topic.js'
import type { Chunk } from './chunk.js'
import { positionOption, READING_DEFAULTS } from './consumer-options.js'
import { ConsumerSensors } from './consumer-metrics.js'
import { Consumption } from './consumption.js'
import { MessageIterator, type ChunkSource } from './message-iterator.js'
import { lookUpPositions } from '../offset-lookup.js'
import type { PartitionState } from './partition-state.js'

/**
 * A reader over these clients. It ends exactly at `to`, also where the records before it are gone or are not for
 * consumers to see. `closeSignal` ends every reading with its reason.
 */
export const readPartition = (context: ClientContext, closeSignal?: AbortSignal): PartitionReader => {
  return <K, V, N extends string>(topic: AnyTopic, partition: number, options: ReadOptions) => {
    checkOptions('read', RULES, options)
    const open = (): AsyncIterator<Message> =>
      new MessageIterator(new Reading(context, topic, partition, options, closeSignal))
    return { [Symbol.asyncIterator]: open as () => AsyncIterator<Message<K, V, N>> }
  }
}

const ISOLATION_LEVELS: readonly unknown[] = ['read_uncommitted', 'read_committed']

const RULES = {
  from: positionOption,
  to: positionOption,
  isolationLevel: customOption<ReadOptions['isolationLevel']>(
    undefined,
    ISOLATION_LEVELS.join(' or '),
    (value) => ISOLATION_LEVELS.includes(value),
  ),
  signal: signalOption,
}

/** One reading: fetches nothing before it is asked, and nothing after it has ended. */
class Reading implements ChunkSource {
  turns = 0
  readonly #context: ClientContext
  readonly #options: ReadOptions
  readonly #consumption: Consumption
  readonly #state: PartitionState
  readonly #signals: readonly AbortSignal[]
  readonly #offAbort: (() => void)[] = []
  #end: number | undefined
  #isStarted = false

  constructor(
    context: ClientContext,
    topic: AnyTopic,
    partition: number,
    options: ReadOptions,
    closeSignal: AbortSignal | undefined,
  ) {
    this.#context = context
    this.#options = options
    // An offset that is not there is an error: a reading goes where it was sent, or nowhere.
    const { isolationLevel = READING_DEFAULTS.isolationLevel } = options
    const reading = { ...READING_DEFAULTS, isolationLevel, autoOffsetReset: 'none' as const }
    this.#consumption = new Consumption(context, reading, new ConsumerSensors(), {
      needsTopics: true,
      stumbled: () => undefined,
      isOver: () => this.#isAtEnd,
    })
    const [state] = this.#consumption.assign([{ handle: topic, partition }], false)
    if (state === undefined) throw new OttlaError('INTERNAL_ERROR', 'A reading has no partition.')
    this.#state = state
    this.#signals = [options.signal, closeSignal].filter((signal) => signal !== undefined)
  }

  async next(signal?: AbortSignal): Promise<Chunk | undefined> {
    try {
      if (!this.#isStarted) await this.#start()
      const chunk = this.#isAtEnd ? undefined : await this.#nextBeforeEnd(signal)
      for (const aborting of this.#signals) aborting.throwIfAborted()
      if (chunk === undefined) this.#stop()
      return chunk
    } catch (error) {
      this.#stop()
      for (const aborting of this.#signals) aborting.throwIfAborted()
      throw error
    }
  }

  release(chunk: Chunk): void {
    this.#consumption.release(chunk)
    if (!chunk.isExhausted) this.#stop()
  }

  get #isAtEnd(): boolean {
    return this.#end !== undefined && this.#state.tracker.position >= this.#end
  }

  async #start(): Promise<void> {
    this.#isStarted = true
    for (const signal of this.#signals) {
      signal.throwIfAborted()
      this.#offAbort.push(onAbort(signal, () => this.#stop()))
    }
    const { from = 'earliest', to } = this.#options
    // The end as it stands now, before anything is read.
    this.#end = to === undefined ? undefined : await this.#lookUp(to)
    await this.#consumption.positions.seek([this.#state], from)
  }

  async #lookUp(to: NonNullable<ReadOptions['to']>): Promise<number | undefined> {
    const { signal } = this.#consumption
    const { isolationLevel = READING_DEFAULTS.isolationLevel } = this.#options
    const options = { isolationLevel, signal }
    const lookUp = () => lookUpPositions(this.#context, [this.#state], to, options)
    const [offset] = await withRetries(lookUp, { ...this.#context, signal })
    return offset
  }

  async #nextBeforeEnd(signal: AbortSignal | undefined): Promise<Chunk | undefined> {
    const chunk = await this.#consumption.next(signal)
    const end = this.#end
    if (chunk === undefined || end === undefined) return chunk
    const beyond = chunk.messages.findIndex(({ offset }) => offset >= end)
    if (beyond >= 0) chunk.end = beyond
    if (chunk.handedOut < chunk.end) return chunk
    this.#consumption.release(chunk)
    return undefined
  }

  #stop(): void {
    for (const off of this.#offAbort.splice(0)) off()
    this.#consumption.stop(new OttlaError('RESOURCE_CLOSED', 'The reading has ended.'))
  }
}

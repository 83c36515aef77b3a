/**
 * What becomes of a message whose handler fails, or that cannot be decoded: it is tried again while other partitions go
 * on, and after a bounded number of attempts it ends the run, or goes to a topic of dead letters.
 */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import { checkOptions, customOption, integerOption } from '../../runtime/options.js'
import type { ScheduledTimer } from '../../runtime/clock.js'
import type { ClientContext } from '../context.js'
import type { RecordHeader } from '../message.js'
import { Producer } from '../producer/producer.js'
import { backoffMs } from '../retry.js'
import { bytes } from '../serdes/bytes.js'
import { nullable } from '../serdes/nullable.js'
import { Topic, type AnyTopic } from '../topic.js'
import type { Chunk } from './chunk.js'
import type { Consumption } from './consumption.js'
import type { PartitionState } from './partition-state.js'
import { readPartition } from './read-partition.js'

/** What to do about messages whose handler fails. */
export interface FailureOptions {
  /** How often a message is handed to the handler at most, the first time included. Default 5. */
  readonly maxAttempts?: number
  /**
   * The wait before the second attempt, in milliseconds; it doubles, with jitter. Its partition rests meanwhile, so that
   * its order stays; others go on. With `keysConsumedConcurrently`, what was fetched of other keys is handled first.
   * Default 100.
   */
  readonly retryBackoffMs?: number
  /** The longest such wait, in milliseconds. Default 10000. */
  readonly retryBackoffMaxMs?: number
  /**
   * Where a message goes that has failed so often, or that cannot be decoded: its bytes, headers and time as they are,
   * and in headers of their own what happened (`__ottla.errors.topic`, `.partition`, `.offset`, `.code`, `.message`,
   * `.attempts`). It counts as processed once it is stored there; after a crash in between it may be there twice.
   * Default: none, so that the run ends with the error of the last attempt.
   */
  readonly deadLetters?: AnyTopic
}

const RULES = {
  maxAttempts: integerOption(5, 1),
  retryBackoffMs: integerOption(100, 0),
  retryBackoffMaxMs: integerOption(10_000, 0),
  deadLetters: customOption<AnyTopic | undefined>(
    undefined,
    'a Topic, from ottla.createTopic() or ottla.topic()',
    (value) => value instanceof Topic,
  ),
}

/** A message of a chunk whose handler has failed. */
export interface FailedMessage {
  readonly index: number
  readonly error: unknown
}

/** The policy of one run. */
export class FailurePolicy {
  readonly #context: ClientContext
  readonly #consumption: Consumption
  readonly #options: ReturnType<typeof checkOptions<typeof RULES>>
  /** How often messages have failed, by partition and offset: one for each key that is handled at the same time. */
  readonly #attempts = new Map<string, Map<number, number>>()
  readonly #rests = new Map<PartitionState, ScheduledTimer>()
  #producer: Producer | undefined

  /** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
  constructor(context: ClientContext, consumption: Consumption, options: FailureOptions) {
    this.#context = context
    this.#consumption = consumption
    this.#options = checkOptions('onFailure', RULES, options)
  }

  /**
   * The handler has failed for these messages of `chunk`. Resolves when each of them is to be tried again later, or is
   * a dead letter; rejects with the error of one about which nothing more is to be done.
   */
  async failed(chunk: Chunk, failures: readonly FailedMessage[]): Promise<void> {
    const { state, messages } = chunk
    const { maxAttempts, deadLetters } = this.#options
    const attemptsAt = this.#attemptsOf(chunk)
    let delayMs = -1
    for (const { index, error } of failures) {
      const offset = messages[index]?.offset
      if (offset === undefined) throw error
      const attempts = (attemptsAt.get(offset) ?? 0) + 1
      if (attempts < maxAttempts) {
        attemptsAt.set(offset, attempts)
        delayMs = Math.max(delayMs, backoffMs(this.#options, attempts - 1, this.#context.random))
        continue
      }
      attemptsAt.delete(offset)
      if (deadLetters === undefined) throw error
      await this.#bury(state, offset, error, attempts, deadLetters)
      chunk.finish(index)
    }
    if (delayMs >= 0) this.#rest(state, delayMs)
  }

  /** A record could not be decoded: whether that is settled, so that the run goes on behind it. */
  async undecodable(error: unknown): Promise<boolean> {
    const { deadLetters } = this.#options
    if (deadLetters === undefined || !OttlaError.is(error, 'DESERIALIZATION_FAILED')) return false
    const { topic, partition, offset } = error.details
    const state = this.#consumption.states.get(`${String(topic)}-${String(partition)}`)
    if (state === undefined || typeof offset !== 'number') return false
    // Another loop has met the same record, and is at it.
    if (state.isResting) return true
    state.isResting = true
    try {
      await this.#bury(state, offset, error, 1, deadLetters)
      await this.#consumption.positions.seek([state], offset + 1)
    } finally {
      state.isResting = false
    }
    this.#consumption.arrived()
    return true
  }

  /** Ends every rest: the run is over. */
  async close(): Promise<void> {
    for (const [state, timer] of this.#rests) {
      timer.cancel()
      state.isResting = false
    }
    this.#rests.clear()
    await this.#producer?.close()
  }

  /** What is behind the position has been settled. */
  #attemptsOf({ state, messages, processed }: Chunk): Map<number, number> {
    const attemptsAt = this.#attempts.get(state.name) ?? new Map<number, number>()
    this.#attempts.set(state.name, attemptsAt)
    const position = messages[processed]?.offset ?? 0
    for (const offset of attemptsAt.keys()) if (offset < position) attemptsAt.delete(offset)
    return attemptsAt
  }

  #rest(state: PartitionState, delayMs: number): void {
    state.isResting = true
    const timer = this.#context.timers.schedule(delayMs, () => {
      this.#rests.delete(state)
      state.isResting = false
      this.#consumption.arrived()
    })
    this.#rests.set(state, timer)
  }

  /** The record is read once more, as bytes: serdes may have made something else of it. */
  async #bury(
    state: PartitionState,
    offset: number,
    error: unknown,
    attempts: number,
    deadLetters: AnyTopic,
  ): Promise<void> {
    const raw = rawTopic(state.handle)
    const { signal } = this.#consumption
    const reading = readPartition(this.#context, signal)(raw, state.partition, {
      from: offset,
      to: offset + 1,
    })
    for await (const { key, value, headers, timestamp } of reading) {
      this.#producer ??= new Producer(this.#context, undefined)
      const record = {
        key,
        value,
        timestamp,
        headers: [...headers, ...errorHeaders(state, offset, error, attempts)],
      }
      await this.#producer.send(rawTopic(deadLetters), record, { signal })
    }
  }
}

const rawTopic = ({ name, id, partitionCount }: AnyTopic) =>
  new Topic({ name, id, partitionCount, key: bytes, value: nullable(bytes) }, () => {
    throw new OttlaError('INTERNAL_ERROR', 'A topic of raw records is read by readPartition.')
  })

const encoder = new TextEncoder()

const errorHeaders = (
  { topic, partition }: PartitionState,
  offset: number,
  error: unknown,
  attempts: number,
): RecordHeader[] => {
  const told = {
    topic,
    partition,
    offset,
    code: OttlaError.is(error) ? error.code : error instanceof Error ? error.name : typeof error,
    message: error instanceof Error ? error.message : typeof error === 'string' ? error : show(error),
    attempts,
  }
  return Object.entries(told).map(([name, value]) => ({
    key: `__ottla.errors.${name}`,
    value: encoder.encode(String(value)),
  }))
}

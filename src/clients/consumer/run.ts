/** Callback style: calls a handler with each message or batch, several partitions at a time if asked to. */
import { anySignal } from '../../runtime/abort.js'
import { checkOptions, customOption, integerOption, signalOption } from '../../runtime/options.js'
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { Message } from '../message.js'
import type { Chunk } from './chunk.js'
import type { Consumption } from './consumption.js'
import { FailurePolicy, type FailedMessage, type FailureOptions } from './failure-policy.js'
import { processByKey } from './key-order.js'
import { MessageBatch } from './message-batch.js'

/** What both ways of running take. */
export interface RunSettings {
  /** How many partitions are consumed at the same time; each of them stays in order. Default 1. */
  readonly partitionsConsumedConcurrently?: number
  /** Ends the run after the turns under way; `run` then resolves. */
  readonly signal?: AbortSignal
}

/** Calls a handler with one message after another. */
export interface EachMessageOptions<M extends Message> extends RunSettings {
  /** A message is processed when this returns, or when the promise that it returns resolves. */
  readonly eachMessage: (message: M) => unknown
  /**
   * How many messages of one partition are handled at the same time, so that those of the same key stay in order, one
   * after another; messages without a key are in no order then. It looks no further ahead than `maxPollRecords`. A
   * commit never passes a message that is not processed: after a crash or a rebalance what was processed behind it
   * comes again. Default 1: all of a partition is in order.
   */
  readonly keysConsumedConcurrently?: number
  /** What to do when it throws or rejects, and about records that cannot be decoded. Default: `run` rejects at once. */
  readonly onFailure?: FailureOptions
  /** Left out: it is either one message at a time or batches. */
  readonly eachBatch?: undefined
}

/** Calls a handler with runs of messages of one partition, at most `maxPollRecords` each. */
export interface EachBatchOptions<M extends Message> extends RunSettings {
  /** The messages are processed when this returns, or when the promise that it returns resolves. */
  readonly eachBatch: (batch: MessageBatch<M>) => unknown
  /** Left out: it is either batches or one message at a time. */
  readonly eachMessage?: undefined
  /** Left out: what is done at the same time within a batch is the handler's affair. */
  readonly keysConsumedConcurrently?: undefined
  /** Left out: of a batch that fails nobody knows which message it was. */
  readonly onFailure?: undefined
}

/** How to run. */
export type RunOptions<M extends Message> = EachMessageOptions<M> | EachBatchOptions<M>

type Handler = (value: never) => unknown

const isFunction = (value: unknown): boolean => typeof value === 'function'

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

const RULES = {
  eachMessage: customOption<Handler | undefined>(undefined, 'a function', isFunction),
  eachBatch: customOption<Handler | undefined>(undefined, 'a function', isFunction),
  onFailure: customOption<FailureOptions | undefined>(undefined, 'an object', isObject),
  partitionsConsumedConcurrently: integerOption(1, 1),
  keysConsumedConcurrently: integerOption(1, 1),
  signal: signalOption,
}

/** Runs until the signal aborts or the consumer closes; rejects with what a handler throws, or with what ends the consumer. */
export const run = async <M extends Message>(
  context: ClientContext,
  consumption: Consumption,
  options: RunOptions<M>,
): Promise<void> => {
  const checked = checkOptions('run', RULES, options)
  const { partitionsConsumedConcurrently, keysConsumedConcurrently, signal, onFailure } = checked
  const { eachMessage, eachBatch } = options
  if ((eachMessage === undefined) === (eachBatch === undefined)) {
    throw invalidArgument('The handler of run', Object.keys(options), 'eachMessage or eachBatch, one of them')
  }
  if (eachMessage === undefined && onFailure !== undefined) {
    throw invalidArgument('Option onFailure of run', onFailure, 'eachMessage along with it')
  }
  if (eachMessage === undefined && keysConsumedConcurrently > 1) {
    throw invalidArgument(
      'Option keysConsumedConcurrently of run',
      keysConsumedConcurrently,
      'eachMessage along with it',
    )
  }
  const policy = onFailure && new FailurePolicy(context, consumption, onFailure)
  // The first error ends the other loops too, after the turns that they are in.
  const failing = new AbortController()
  const stopping = anySignal(signal, failing.signal)
  const process = (chunk: Chunk): Promise<readonly FailedMessage[]> => {
    if (eachMessage === undefined) return processBatch(chunk, eachBatch)
    if (keysConsumedConcurrently === 1) return processMessages(chunk, eachMessage, consumption, stopping)
    return processByKey(chunk, {
      keysConsumedConcurrently,
      goesOnAfterFailure: policy !== undefined,
      isStopping: () => stopping?.aborted === true,
      handle: (message) => {
        consumption.turns++
        return eachMessage(message as never)
      },
    })
  }
  const loop = async (): Promise<void> => {
    try {
      for (;;) {
        const chunk = await nextChunk(consumption, policy, stopping)
        if (chunk === undefined) return
        try {
          const failures = await process(chunk)
          const [first] = failures
          if (first === undefined) continue
          if (policy === undefined) throw first.error
          await policy.failed(chunk, failures)
        } finally {
          // What a handler did not finish comes again.
          chunk.takeBack()
          consumption.release(chunk)
        }
      }
    } catch (error) {
      failing.abort()
      throw error
    }
  }
  const ended = await Promise.allSettled(Array.from({ length: partitionsConsumedConcurrently }, loop))
  await policy?.close()
  for (const result of ended) if (result.status === 'rejected') throw result.reason
}

/** Where a record cannot be decoded, what comes behind it if the policy has settled that. */
const nextChunk = async (
  consumption: Consumption,
  policy: FailurePolicy | undefined,
  stopping: AbortSignal | undefined,
): Promise<Chunk | undefined> => {
  for (;;) {
    try {
      return await consumption.next(stopping)
    } catch (error) {
      if ((await policy?.undecodable(error)) !== true) throw error
    }
  }
}

const NO_FAILURES: readonly FailedMessage[] = []

const processMessages = async (
  chunk: Chunk,
  eachMessage: (message: never) => unknown,
  consumption: Consumption,
  stopping: AbortSignal | undefined,
): Promise<readonly FailedMessage[]> => {
  while (chunk.handedOut < chunk.end && stopping?.aborted !== true) {
    const index = chunk.handedOut++
    consumption.turns++
    try {
      const result = eachMessage(chunk.messages[index] as never)
      // A handler that is done at once costs no turn of the microtask queue.
      if (isThenable(result)) await result
    } catch (error) {
      return [{ index, error }]
    }
    chunk.processed = chunk.handedOut
  }
  return NO_FAILURES
}

const processBatch = async (
  chunk: Chunk,
  eachBatch: (batch: MessageBatch<never>) => unknown,
): Promise<readonly FailedMessage[]> => {
  const from = chunk.handedOut
  const messages = from === 0 ? chunk.messages : chunk.messages.slice(from)
  chunk.handedOut = chunk.messages.length
  const result = eachBatch(new MessageBatch(chunk.state, messages as readonly never[]))
  if (isThenable(result)) await result
  chunk.processed = chunk.handedOut
  return NO_FAILURES
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value

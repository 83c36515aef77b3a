/** Several messages of a partition at the same time, those of one key after one another. */
import type { AnyTopic } from '../topic.js'
import type { Message } from '../message.js'
import type { Chunk } from './chunk.js'
import type { FailedMessage } from './failure-policy.js'

/** How the messages of a chunk are handled. */
export interface KeyOrderOptions {
  readonly keysConsumedConcurrently: number
  /** Whether the keys that are not concerned go on when a message fails. */
  readonly goesOnAfterFailure: boolean
  /** Whether nothing more is to be begun. */
  isStopping(): boolean
  handle(message: Message): unknown
}

/** Handles what is left of `chunk`. Resolves, when nothing is under way any more, to what has failed. */
export const processByKey = async (
  chunk: Chunk,
  options: KeyOrderOptions,
): Promise<readonly FailedMessage[]> => {
  const { keysConsumedConcurrently, goesOnAfterFailure } = options
  const { messages, state } = chunk
  /** The keys that are being handled, or have failed, with the indexes of those that wait behind. */
  const lanes = new Map<unknown, number[]>()
  const failures: FailedMessage[] = []
  const mayBegin = (): boolean =>
    chunk.isOpen && !options.isStopping() && (goesOnAfterFailure || failures.length === 0)

  /** The next message whose key is free, with the lane that it opens. */
  const next = (): { readonly index: number; readonly key: unknown } | undefined => {
    while (mayBegin() && !chunk.isExhausted) {
      const index = chunk.handedOut++
      const message = messages[index]
      if (message === undefined || chunk.isFinished(index)) continue
      const key = identityOf(message, state.handle)
      const waiting = lanes.get(key)
      if (waiting === undefined) {
        lanes.set(key, [])
        return { index, key }
      }
      waiting.push(index)
    }
    return undefined
  }

  const handle = async (index: number, message: Message): Promise<boolean> => {
    try {
      await options.handle(message)
      chunk.finish(index)
      return true
    } catch (error) {
      failures.push({ index, error })
      return false
    }
  }

  const work = async (): Promise<void> => {
    for (let begun = next(); begun !== undefined; begun = next()) {
      const { key } = begun
      for (let index: number | undefined = begun.index; index !== undefined;) {
        const message = messages[index]
        // The lane of a key that has failed stays: what is behind it waits for its next attempt.
        if (message === undefined || !mayBegin() || !(await handle(index, message))) break
        index = lanes.get(key)?.shift()
        if (index === undefined) lanes.delete(key)
      }
    }
  }
  await Promise.all(Array.from({ length: keysConsumedConcurrently }, work))
  return failures
}

/** Equal for equal keys. Whoever has no key has nothing to be in order with. */
const identityOf = ({ key }: Message, { key: serde }: AnyTopic): unknown => {
  if (key === null) return Symbol('no key')
  if (typeof key !== 'object') return key
  const bytes = key instanceof Uint8Array ? key : serde.serialize(key)
  return bytes === null ? null : Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
}

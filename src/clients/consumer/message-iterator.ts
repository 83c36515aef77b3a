/** What `for await` runs on: hands out one message a turn, from chunks that are ready. */
import type { Message } from '../message.js'
import type { Chunk } from './chunk.js'

/** Where chunks come from. */
export interface ChunkSource {
  /** How often a loop has asked for a message. */
  turns: number
  /** The next chunk; undefined when the loop has to end, or when the signal aborts. */
  next(signal?: AbortSignal): Promise<Chunk | undefined>
  /** Gives a chunk back. */
  release(chunk: Chunk): void
}

/** What an iterator holds of its source. */
interface Hold {
  readonly source: ChunkSource
  chunk: Chunk | undefined
}

const letGo = (hold: Hold): void => {
  const { chunk } = hold
  hold.chunk = undefined
  if (chunk !== undefined) hold.source.release(chunk)
}

/**
 * An iterator that nobody can ask any more, made by hand and forgotten, was left too: else its partition would be
 * taken for good, and a rebalance would wait for it.
 */
const forgotten = new FinalizationRegistry<Hold>((hold) => {
  hold.chunk?.takeBack()
  letGo(hold)
})

const DONE: IteratorResult<Message, undefined> = { done: true, value: undefined }

/**
 * An iterator over the messages of `source`. Asking for the next message means that the one before is processed.
 * Leaving the loop does not, as a `break` cannot be told from an error: the message comes again in the next loop.
 * An iterator that is forgotten instead of left is left when its memory is reclaimed.
 */
export class MessageIterator implements AsyncIterableIterator<Message, undefined> {
  readonly #hold: Hold
  /** Ends the wait for a chunk when the loop is left meanwhile. */
  readonly #leaving = new AbortController()
  /** The last call of `next` that waits for a chunk; calls that come meanwhile follow it. */
  #waiting: Promise<IteratorResult<Message, undefined>> | undefined
  #isDone = false

  constructor(source: ChunkSource) {
    this.#hold = { source, chunk: undefined }
    forgotten.register(this, this.#hold)
  }

  // No async function: for a message that is ready one settled promise is all that it takes.
  next(): Promise<IteratorResult<Message, undefined>> {
    const waiting = this.#waiting
    if (waiting === undefined) return this.#ready() ?? this.#wait(this.#nextOfNextChunk())
    const step = (): Promise<IteratorResult<Message, undefined>> => this.#ready() ?? this.#nextOfNextChunk()
    return this.#wait(waiting.then(step, step))
  }

  /** The loop was left: what it has not finished is for the next loop. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#isDone = true
    this.#leaving.abort()
    this.#hold.chunk?.takeBack()
    letGo(this.#hold)
    return Promise.resolve(DONE)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next message of the chunk at hand. */
  #ready(): Promise<IteratorResult<Message, undefined>> | undefined {
    const { chunk, source } = this.#hold
    if (chunk === undefined) return undefined
    const index = chunk.handedOut
    chunk.processed = index
    if (index >= chunk.end) return undefined
    const value = chunk.messages[index]
    if (value === undefined) return undefined
    source.turns++
    chunk.handedOut = index + 1
    return Promise.resolve({ done: false, value })
  }

  /** Two calls that wait for a chunk each would leave one of the chunks behind, taken for good. */
  #wait(result: Promise<IteratorResult<Message, undefined>>): Promise<IteratorResult<Message, undefined>> {
    const settled = (): void => {
      if (this.#waiting === result) this.#waiting = undefined
    }
    this.#waiting = result
    result.then(settled, settled)
    return result
  }

  async #nextOfNextChunk(): Promise<IteratorResult<Message, undefined>> {
    const hold = this.#hold
    letGo(hold)
    if (this.#isDone) return DONE
    const chunk = await hold.source.next(this.#leaving.signal)
    const value = chunk?.messages[chunk.handedOut]
    if (chunk === undefined || value === undefined) {
      this.#isDone = true
      return DONE
    }
    if (isDone(this.#isDone)) {
      hold.source.release(chunk)
      return DONE
    }
    hold.chunk = chunk
    chunk.handedOut++
    return { done: false, value }
  }
}

/** Asked anew: the loop may have been left while the chunk was on its way. */
const isDone = (value: boolean): boolean => value

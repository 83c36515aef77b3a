/**
 * From batches to messages: walks the records of a partition's buffer through the topic's serdes. This is the hot
 * path of every consumer.
 */
import type { RecordCursor } from '../../record/decode.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { partitionName, type Message } from '../message.js'
import type { AnyTopic } from '../topic.js'
import { ConsumedMessage } from './consumed-message.js'
import type { RecordBuffer } from './record-buffer.js'

/** What decoding gave. */
export interface DecodedMessages {
  readonly messages: readonly Message[]
  /** Where it goes on: behind the last message, or at the record that could not be decoded. */
  readonly decoded: number
  /** Why it ended there; undefined when it did because there were enough messages or no more. */
  readonly error: unknown
}

/** Decodes up to `maxRecords` records from the offset `from` on. Batches that are done leave the buffer. */
export const decodeMessages = (
  topic: AnyTopic,
  partition: number,
  buffer: RecordBuffer,
  from: number,
  maxRecords: number,
): DecodedMessages => {
  const decoder = new Decoder(topic, partition, from, maxRecords)
  let error: unknown
  try {
    for (;;) {
      const cursor = buffer.cursor()
      if (cursor === undefined || !decoder.decode(cursor)) break
      buffer.finish()
    }
  } catch (thrown) {
    error = thrown
  }
  return { messages: decoder.messages, decoded: decoder.next, error }
}

/** Decodes records until it has enough. */
class Decoder {
  readonly messages: Message[] = []
  /** The offset of the next record to be decoded. */
  next: number
  readonly #topic: AnyTopic
  readonly #partition: number
  readonly #maxRecords: number

  constructor(topic: AnyTopic, partition: number, next: number, maxRecords: number) {
    this.#topic = topic
    this.#partition = partition
    this.next = next
    this.#maxRecords = maxRecords
  }

  /** Whether the batch is done; otherwise there are enough messages. */
  decode(cursor: RecordCursor): boolean {
    const { messages } = this
    const { name, key: keySerde, value: valueSerde } = this.#topic
    const { timestampType, partitionLeaderEpoch, lastOffset } = cursor.header
    const partition = this.#partition
    const maxRecords = this.#maxRecords
    let next = this.next
    let part: 'key' | 'value' | undefined
    try {
      for (;;) {
        if (messages.length >= maxRecords) {
          this.next = next
          return false
        }
        if (!cursor.next()) break
        const { offset } = cursor
        if (offset < next) continue
        next = offset
        part = 'key'
        const keyBytes = cursor.key
        const key = keyBytes === null ? null : keySerde.deserialize(keyBytes)
        part = 'value'
        const value = valueSerde.deserialize(cursor.value)
        part = undefined
        messages.push(
          new ConsumedMessage(
            name,
            partition,
            offset,
            cursor.timestamp,
            timestampType,
            key,
            value,
            cursor.headers,
            partitionLeaderEpoch,
          ),
        )
        next = offset + 1
      }
    } catch (error) {
      this.next = next
      throw part === undefined ? error : this.#undecodable(part, next, error)
    }
    this.next = Math.max(next, lastOffset + 1)
    return true
  }

  #undecodable(part: 'key' | 'value', offset: number, cause: unknown): OttlaError {
    const topic = this.#topic.name
    const serde = this.#topic[part].name
    const partition = this.#partition
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new OttlaError(
      'DESERIALIZATION_FAILED',
      `The ${part} of ${partitionName({ topic, partition })} at offset ${offset} is not what the ${serde} serde reads: ${reason} To go on behind it, seek to ${offset + 1}.`,
      { cause, details: { topic, partition, offset, part, serde } },
    )
  }
}

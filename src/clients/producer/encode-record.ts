/** From what an application sends to what a batch holds: keys, values and headers as bytes, checked one by one. */
import { NO_HEADERS, type RecordHeader } from '../../record/encode.js'
import { toUtf8 } from '../../runtime/bytes.js'
import { invalidArgument, OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { HeadersInput } from '../message.js'
import type { Serde } from '../serdes/serde.js'
import { cannotSerialize } from '../serdes/serde.js'
import type { Topic } from '../topic.js'

/** A record to be sent. */
export interface ProducerRecord<K, V> {
  /** Decides the partition, and what compaction keeps. Left out or null: no key. */
  readonly key?: K | null | undefined
  readonly value: V
  /** The partition to send to, in place of the partitioner's choice. */
  readonly partition?: number | undefined
  /** The record's time, as milliseconds since the epoch or a Date; default now. */
  readonly timestamp?: number | Date | undefined
  readonly headers?: HeadersInput | undefined
}

/** A record as bytes, on its way to a partition. */
export interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  readonly timestamp: number
  readonly partition: number | undefined
}

/**
 * The record as bytes.
 * @throws OttlaError SERIALIZATION_FAILED, INVALID_ARGUMENT; both name the topic and the field.
 */
export const encodeRecord = <K, V>(
  topic: Topic<K, V>,
  record: ProducerRecord<K, V>,
  now: number,
): EncodedRecord => {
  if (typeof record !== 'object' || (record as unknown) === null) {
    throw invalidArgument(`A record for ${topic.name}`, record, 'an object with a value, e.g. { key, value }')
  }
  const { key, partition } = record
  return {
    key: key === undefined || key === null ? null : serialize(topic.name, 'key', topic.key, key),
    value: serialize(topic.name, 'value', topic.value, record.value),
    headers: record.headers === undefined ? NO_HEADERS : encodeHeaders(topic.name, record.headers),
    timestamp: record.timestamp === undefined ? now : timestampOf(topic.name, record.timestamp),
    partition: partition === undefined ? undefined : existingPartition(topic, partition),
  }
}

const serialize = <T>(
  topic: string,
  field: 'key' | 'value',
  serde: Serde<T>,
  value: T,
): Uint8Array | null => {
  try {
    // A serde that reads any value is handed what was left out, too; none of them has a form for it.
    if (value === undefined) throw cannotSerialize(serde.name, value, `a ${field}`)
    return serde.serialize(value)
  } catch (error) {
    const reason = error instanceof Error ? error.message : show(error)
    const details = OttlaError.is(error) ? error.details : {}
    throw new OttlaError('SERIALIZATION_FAILED', `The ${field} of a record for ${topic}: ${reason}`, {
      cause: error,
      details: { ...details, topic, field },
    })
  }
}

const encodeHeaders = (topic: string, headers: HeadersInput): readonly RecordHeader[] => {
  if (Array.isArray(headers))
    return (headers as readonly RecordHeader[]).map(({ key, value }) => header(topic, key, value))
  if (typeof headers !== 'object' || (headers as unknown) === null) {
    throw invalidArgument(
      `The headers of a record for ${topic}`,
      headers,
      'an object of names to texts or bytes',
    )
  }
  return Object.entries(headers).map(([name, value]) =>
    header(topic, name, value as string | Uint8Array | null),
  )
}

const header = (topic: string, name: string, value: string | Uint8Array | null): RecordHeader => {
  if (typeof name !== 'string') throw invalidArgument(`The name of a header for ${topic}`, name, 'a text')
  if (typeof value === 'string') return { key: name, value: toUtf8(value) }
  if (value === null || value instanceof Uint8Array) return { key: name, value }
  throw invalidArgument(`The header ${name} of a record for ${topic}`, value, 'a text, bytes or null')
}

const timestampOf = (topic: string, timestamp: number | Date): number => {
  const milliseconds = timestamp instanceof Date ? timestamp.getTime() : timestamp
  if (Number.isSafeInteger(milliseconds) && milliseconds >= 0) return milliseconds
  throw invalidArgument(
    `The timestamp of a record for ${topic}`,
    timestamp,
    'a Date, or whole milliseconds since the epoch',
  )
}

const existingPartition = (topic: Topic<never, never> | Topic, partition: number): number => {
  const { name, partitionCount } = topic
  if (Number.isInteger(partition) && partition >= 0 && partition < partitionCount) return partition
  throw invalidArgument(
    `The partition of a record for ${name}`,
    partition,
    `a whole number from 0 to ${partitionCount - 1}`,
  )
}

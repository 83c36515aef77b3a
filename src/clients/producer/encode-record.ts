/** From what an application sends to what a batch holds: keys, values and headers as bytes, checked one by one. */
import { NO_HEADERS, type RecordHeader } from '../../record/encode.js'
import { HEADER_BYTES } from '../../record/header.js'
import { toUtf8 } from '../../runtime/bytes.js'
import { invalidArgument, OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { HeadersInput } from '../message.js'
import { cannotSerialize, type Serde } from '../serdes/serde.js'
import type { Topic } from '../topic.js'
import { checkPartition, partitionOfKey, type Partitioner, type PartitionerInput } from './partitioner.js'

/** A record to be sent. */
export interface ProducerRecord<K, V> {
  /** Decides the partition, and what compaction keeps. Left out or null: no key. */
  readonly key?: K | null | undefined
  /** What the topic's value serde takes. */
  readonly value: V
  /** The partition to send to, in place of the partitioner's choice. */
  readonly partition?: number | undefined
  /** The record's time, as milliseconds since the epoch or a Date; default now. */
  readonly timestamp?: number | Date | undefined
  /** Names with texts or bytes that travel along; default none. */
  readonly headers?: HeadersInput | undefined
}

/** A record as bytes, on its way to a partition. */
export interface EncodedRecord {
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  readonly headers: readonly RecordHeader[]
  readonly timestamp: number
  /** {@link ANY_PARTITION}: the one to which keyless records go at the moment. */
  readonly partition: number
  /** The most that it takes in a batch. */
  readonly sizeBytes: number
}

/** What encoding needs to know besides the record. */
export interface EncodeContext {
  /** The timestamp of records without one. */
  readonly now: number
  readonly partitionCount: number
  readonly partitioner: Partitioner | undefined
  /** What every record of this send carries to say which trace it belongs to; left out where nobody traces. */
  readonly traceHeaders: readonly RecordHeader[] | undefined
  /** The largest record that is accepted, in a batch of its own, in bytes. */
  readonly maxRequestSize: number
}

/** A keyless record may go to any partition. */
export const ANY_PARTITION = -1

/** Its length, attributes, timestamp, offset, and the lengths of key, value and headers, at their longest. */
const MAX_RECORD_OVERHEAD_BYTES = 36
/** The lengths of a header's name and value, at their longest. */
const MAX_HEADER_OVERHEAD_BYTES = 10

/**
 * The record as bytes.
 * @throws OttlaError SERIALIZATION_FAILED, MESSAGE_TOO_LARGE, INVALID_ARGUMENT; all name the topic.
 */
export const encodeRecord = <K, V>(
  topic: Topic<K, V>,
  record: ProducerRecord<K, V> | undefined,
  context: EncodeContext,
): EncodedRecord => {
  if (typeof record !== 'object' || (record as unknown) === null) {
    throw invalidArgument(`A record for ${topic.name}`, record, 'an object with a value, e.g. { key, value }')
  }
  const key =
    record.key === undefined || record.key === null
      ? null
      : serialize(topic.name, 'key', topic.key, record.key)
  const value = serialize(topic.name, 'value', topic.value, record.value)
  const own = record.headers === undefined ? NO_HEADERS : encodeHeaders(topic.name, record.headers)
  const headers = context.traceHeaders === undefined ? own : withTrace(own, context.traceHeaders)
  const timestamp = record.timestamp === undefined ? context.now : timestampOf(topic.name, record.timestamp)
  const sizeBytes = sizeOf(key, value, headers)
  const { maxRequestSize } = context
  if (HEADER_BYTES + sizeBytes > maxRequestSize) {
    throw new OttlaError(
      'MESSAGE_TOO_LARGE',
      `A record for ${topic.name} takes ${HEADER_BYTES + sizeBytes} bytes; maxRequestSize of the producer allows ${maxRequestSize}.`,
      { details: { topic: topic.name, sizeBytes: HEADER_BYTES + sizeBytes, maxRequestSize } },
    )
  }
  const partition = partitionOf(topic.name, record.partition, key, value, context)
  return { key, value, headers, timestamp, partition, sizeBytes }
}

const partitionOf = (
  topic: string,
  given: number | undefined,
  key: Uint8Array | null,
  value: Uint8Array | null,
  { partitionCount, partitioner }: EncodeContext,
): number => {
  if (given !== undefined) return checkPartition(given, topic, partitionCount)
  if (partitioner !== undefined) {
    const chosen = askPartitioner(partitioner, { topic, key, value, partitionCount })
    return checkPartition(chosen, topic, partitionCount)
  }
  return key === null ? ANY_PARTITION : partitionOfKey(key, partitionCount)
}

const askPartitioner = (partitioner: Partitioner, input: PartitionerInput): number => {
  try {
    return partitioner(input)
  } catch (error) {
    const reason = error instanceof Error ? error.message : show(error)
    throw new OttlaError(
      'INVALID_ARGUMENT',
      `The partitioner failed for a record for ${input.topic}: ${reason}`,
      {
        cause: error,
        details: { topic: input.topic },
      },
    )
  }
}

const sizeOf = (
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: readonly RecordHeader[],
): number => {
  let size = MAX_RECORD_OVERHEAD_BYTES
  if (key !== null) size += key.length
  if (value !== null) size += value.length
  for (const header of headers)
    size += MAX_HEADER_OVERHEAD_BYTES + header.key.length * 3 + (header.value?.length ?? 0)
  return size
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
    const bytes: unknown = serde.serialize(value)
    if (bytes === null || bytes instanceof Uint8Array) return bytes
    throw new OttlaError(
      'SERIALIZATION_FAILED',
      `The ${serde.name} serde made ${show(bytes)}; expected a Uint8Array, at once, or null.`,
    )
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
  // A Map, or anything else that is walked, has no names of its own: its headers would be lost without a word.
  if (typeof headers !== 'object' || (headers as unknown) === null || Symbol.iterator in headers) {
    throw invalidArgument(
      `The headers of a record for ${topic}`,
      headers,
      'an object of names to texts or bytes, or an array of { key, value }',
    )
  }
  return Object.entries(headers).map(([name, value]) => header(topic, name, value))
}

/** A record that is sent on may come with the headers of a trace: it is part of this one now. */
const withTrace = (own: readonly RecordHeader[], trace: readonly RecordHeader[]): readonly RecordHeader[] => {
  const names = new Set(trace.map(({ key }) => key))
  return [...own.filter(({ key }) => !names.has(key)), ...trace]
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

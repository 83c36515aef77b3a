/**
 * Control batches: what a transaction coordinator writes into a partition to end a transaction there (KIP-98),
 * and how the records of control batches are read. Consumers never see them.
 */
import { OttlaError } from '../runtime/errors/ottla-error.js'
import { BatchBuilder } from './encode.js'
import { readInt16, readInt32, writeInt16, writeInt32 } from './header.js'

/** Kafka's control record types; the index is the number in the key. */
const CONTROL_TYPES = [
  'abort',
  'commit',
  'leaderChange',
  'snapshotHeader',
  'snapshotFooter',
  'kraftVersion',
  'kraftVoters',
] as const

/** What a control record is; `unknown` is one of a later Kafka, to be skipped. */
export type ControlType = (typeof CONTROL_TYPES)[number] | 'unknown'

const KEY_BYTES = 4
const MARKER_BYTES = 6

/** What a transaction marker says. */
export interface TransactionMarker {
  /** How the transaction of the batch's producer ended. */
  readonly type: 'commit' | 'abort'
  /** The epoch of the coordinator that wrote it; a lower one than seen before is a zombie's. */
  readonly coordinatorEpoch: number
}

/** What {@link encodeControlBatch} writes. */
export interface ControlBatchInput extends TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number
  /** Default 0: the broker assigns the offset. */
  readonly baseOffset?: number | undefined
  /** Default -1. */
  readonly leaderEpoch?: number | undefined
}

/** A batch with one transaction marker. */
export const encodeControlBatch = (input: ControlBatchInput): Uint8Array => {
  const key = new Uint8Array(KEY_BYTES) // version 0, then the type
  writeInt16(key, CONTROL_TYPES.indexOf(input.type), 2)
  const value = new Uint8Array(MARKER_BYTES) // version 0, then the epoch
  writeInt32(value, input.coordinatorEpoch, 2)
  const builder = new BatchBuilder({ capacityBytes: 128 })
  builder.append(input.timestamp, key, value)
  return builder.build({
    baseOffset: input.baseOffset,
    leaderEpoch: input.leaderEpoch,
    producerId: input.producerId,
    producerEpoch: input.producerEpoch,
    isTransactional: true,
    isControl: true,
  })
}

/**
 * The type of the control record with this key.
 * @throws OttlaError INVALID_RECORD when the key has no type or a negative version.
 */
export const controlTypeOf = (key: Uint8Array | null): ControlType => {
  if (key === null || key.length < KEY_BYTES) {
    throw new OttlaError(
      'INVALID_RECORD',
      `A control record has a key of ${key?.length ?? 'no'} bytes; expected at least ${KEY_BYTES}.`,
    )
  }
  const version = readInt16(key, 0)
  if (version < 0) {
    throw new OttlaError('INVALID_RECORD', `A control record has the version ${version}; expected 0 or more.`)
  }
  return CONTROL_TYPES[readInt16(key, 2)] ?? 'unknown'
}

/**
 * What the control record with this key and value says of a transaction; undefined when it is no transaction
 * marker.
 * @throws OttlaError INVALID_RECORD when key or value are too short or have a negative version.
 */
export const parseTransactionMarker = (
  key: Uint8Array | null,
  value: Uint8Array | null,
): TransactionMarker | undefined => {
  const type = controlTypeOf(key)
  if (type !== 'commit' && type !== 'abort') return undefined
  if (value === null || value.length < MARKER_BYTES || readInt16(value, 0) < 0) {
    throw new OttlaError(
      'INVALID_RECORD',
      `A transaction marker has a value of ${value?.length ?? 'no'} bytes; expected version 0 and an epoch in at least ${MARKER_BYTES}.`,
    )
  }
  return { type, coordinatorEpoch: readInt32(value, 2) }
}

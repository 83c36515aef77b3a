/** A producer's options, under Kafka's names. */
import { COMPRESSION_TYPES, type CompressionType } from '../../record/header.js'
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import {
  booleanOption,
  checkOptions,
  choiceOption,
  customOption,
  integerOption,
  type Checked,
} from '../../runtime/options.js'
import type { Partitioner } from './partitioner.js'

/** How a producer works. Sources: Kafka's producer configs, KIP-480, KIP-580, KIP-794. */
export interface ProducerOptions {
  /**
   * When a record counts as sent: `'all'` (or -1) when every in-sync replica has it, `1` when the leader has it, `0`
   * when it is on its way, which tells neither its offset nor an error. Default `'all'`.
   */
  readonly acks?: 'all' | -1 | 0 | 1
  /** A batch goes out when it has this many bytes. Default 16384. */
  readonly batchSize?: number
  /**
   * How long a batch waits for more records, in milliseconds. Default 0 (Kafka: 5): records sent in one turn of the
   * event loop share a batch anyway, and in process there is no network whose round trips had to be saved.
   */
  readonly lingerMs?: number
  /** The largest batch and the largest request, in bytes; a record beyond it is refused at `send`. Default 1048576. */
  readonly maxRequestSize?: number
  /** The memory of all records that are not yet acknowledged, in bytes; `send` waits for room. Default 33554432. */
  readonly bufferMemory?: number
  /** How long `send` waits for room, in milliseconds; then BUFFER_EXHAUSTED. Default 60000. */
  readonly maxBlockMs?: number
  /** How long a record may take from `send` to its acknowledgement, retries included, in milliseconds. Default 120000. */
  readonly deliveryTimeoutMs?: number
  /** How long one request may take, in milliseconds. Default 30000. */
  readonly requestTimeoutMs?: number
  /** How often a batch is sent again after a retriable error; deliveryTimeoutMs ends it as well. Default 2147483647. */
  readonly retries?: number
  /** The first wait before a batch is sent again, in milliseconds; it doubles, with jitter. Default 100. */
  readonly retryBackoffMs?: number
  /** The longest such wait, in milliseconds. Default 1000. */
  readonly retryBackoffMaxMs?: number
  /** Whether retries are told apart from new records, so that none is stored twice. Default true; needs acks all. */
  readonly enableIdempotence?: boolean
  /** How many requests to one broker may be under way. Default 5, which is the most with idempotence. */
  readonly maxInFlightRequestsPerConnection?: number
  /** How batches are compressed; snappy, lz4 and zstd need their package. Default `'none'`. */
  readonly compressionType?: CompressionType
  /**
   * Makes the producer transactional: what it sends is in transactions, and an older producer with the same id is
   * fenced off. One instance of the application has it at a time, again after a restart. Default none (KIP-98).
   */
  readonly transactionalId?: string
  /** How long a transaction may be open before the coordinator aborts it, in milliseconds. Default 60000. */
  readonly transactionTimeoutMs?: number
  /** Chooses partitions in place of murmur2 for keyed and stickiness for keyless records. */
  readonly partitioner?: Partitioner
}

const RULES = {
  acks: choiceOption<'all' | -1 | 0 | 1>('all', ['all', -1, 0, 1]),
  batchSize: integerOption(16_384, 1),
  lingerMs: integerOption(0, 0),
  maxRequestSize: integerOption(1_048_576, 100),
  bufferMemory: integerOption(33_554_432, 1),
  maxBlockMs: integerOption(60_000, 0),
  deliveryTimeoutMs: integerOption(120_000, 1),
  requestTimeoutMs: integerOption(30_000, 1),
  retries: integerOption(2_147_483_647, 0),
  retryBackoffMs: integerOption(100, 0),
  retryBackoffMaxMs: integerOption(1000, 0),
  enableIdempotence: booleanOption(true),
  maxInFlightRequestsPerConnection: integerOption(5, 1),
  compressionType: choiceOption<CompressionType>('none', COMPRESSION_TYPES),
  transactionalId: customOption<string | undefined>(
    undefined,
    'a text of at least one character',
    (value) => typeof value === 'string' && value !== '',
  ),
  transactionTimeoutMs: integerOption(60_000, 1),
  partitioner: customOption<Partitioner | undefined>(
    undefined,
    'a function',
    (value) => typeof value === 'function',
  ),
}

/** Options that were checked: complete, and consistent with one another. */
export type CheckedProducerOptions = Checked<typeof RULES>

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkProducerOptions = (options: ProducerOptions | undefined): CheckedProducerOptions => {
  const checked = checkOptions('producer', RULES, options)
  const isAll = checked.acks === 'all' || checked.acks === -1
  if (checked.transactionalId !== undefined && !(checked.enableIdempotence && isAll)) {
    throw invalidArgument(
      'Option transactionalId of producer',
      checked.transactionalId,
      "acks 'all' and enableIdempotence along with it, or no transactionalId",
    )
  }
  if (checked.enableIdempotence && !isAll) {
    // Kafka gives way when idempotence was not asked for, and refuses when it was.
    if (options?.enableIdempotence === true) {
      throw invalidArgument(
        'Option acks of producer',
        checked.acks,
        "'all' with enableIdempotence, or enableIdempotence: false",
      )
    }
    return { ...checked, enableIdempotence: false }
  }
  if (checked.enableIdempotence && checked.maxInFlightRequestsPerConnection > 5) {
    throw invalidArgument(
      'Option maxInFlightRequestsPerConnection of producer',
      checked.maxInFlightRequestsPerConnection,
      'at most 5 with enableIdempotence',
    )
  }
  if (checked.deliveryTimeoutMs < checked.lingerMs + checked.requestTimeoutMs) {
    if (options?.deliveryTimeoutMs !== undefined) {
      throw invalidArgument(
        'Option deliveryTimeoutMs of producer',
        checked.deliveryTimeoutMs,
        `at least lingerMs + requestTimeoutMs, ${checked.lingerMs + checked.requestTimeoutMs}`,
      )
    }
    return { ...checked, deliveryTimeoutMs: checked.lingerMs + checked.requestTimeoutMs }
  }
  return checked
}

/**
 * One partition of `__transaction_state`: the transactional ids that hash to it, loaded from its log, and every step of
 * them written there before it counts.
 */
import type { PartitionLog } from '../../log/partition-log.js'
import { transactionLogKey, transactionLogValue } from '../../protocol/transaction-records.js'
import { decodeVersioned, encodeVersioned, leadingVersion } from '../../protocol/versioned-record.js'
import { encodeBatch, NO_HEADERS } from '../../record/encode.js'
import type { Clock } from '../../runtime/clock.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { readWholeLog } from '../read-whole-log.js'
import { TransactionalId } from './transactional-id.js'
import { TRANSACTION_STATES, type TransactionMetadata } from './transaction-metadata.js'

/** How many transactional ids one partition keeps in memory. */
export const MAX_TRANSACTIONAL_IDS_PER_PARTITION = 10_000

/** The version in which values are written: the newest that every Kafka from 4.0 on reads. */
const VALUE_VERSION = 1

/** A loaded partition. */
export class TransactionsPartition {
  readonly ids = new Map<string, TransactionalId>()
  readonly #log: PartitionLog
  readonly clock: Clock

  private constructor(log: PartitionLog, clock: Clock) {
    this.#log = log
    this.clock = clock
  }

  /** Reads the log through. */
  static async load(log: PartitionLog, clock: Clock): Promise<TransactionsPartition> {
    const partition = new TransactionsPartition(log, clock)
    await readWholeLog(log, clock, ({ key, value }) => {
      if (key !== null && leadingVersion(key) === transactionLogKey.key) partition.#replay(key, value)
    })
    return partition
  }

  /** The epoch of its coordinator, which markers carry. */
  get coordinatorEpoch(): number {
    return this.#log.leaderEpoch
  }

  /**
   * The transactional id, made of `metadata` when it is not there.
   * @throws OttlaError POLICY_VIOLATION when {@link MAX_TRANSACTIONAL_IDS_PER_PARTITION} are there.
   */
  ensure(name: string, metadata: TransactionMetadata): TransactionalId {
    let id = this.ids.get(name)
    if (id === undefined) {
      if (this.ids.size >= MAX_TRANSACTIONAL_IDS_PER_PARTITION) {
        throw new OttlaError(
          'POLICY_VIOLATION',
          `There are ${this.ids.size} transactional ids beside ${name} already, which is the most that are kept; raise transaction.state.log.num.partitions, or lower transactional.id.expiration.ms.`,
        )
      }
      this.ids.set(name, (id = new TransactionalId(name, this, metadata)))
    }
    return id
  }

  /** Writes a step of a transactional id; null removes it. Resolves when that is durable. */
  async write(name: string, metadata: TransactionMetadata | null): Promise<void> {
    const timestamp = this.clock.now()
    const key = encodeVersioned(transactionLogKey, transactionLogKey.key, { transactionalId: name })
    const value = metadata === null ? null : valueOf(metadata)
    const batch = encodeBatch([{ timestamp, key, value, headers: NO_HEADERS }])
    await this.#log.append(batch, { origin: 'coordinator' })
  }

  #replay(key: Uint8Array, value: Uint8Array | null): void {
    const { transactionalId } = decodeVersioned(transactionLogKey, key)
    if (value === null) {
      this.ids.delete(transactionalId)
      return
    }
    const known = this.ids.get(transactionalId)
    const metadata = metadataOf(value)
    if (known === undefined) this.ensure(transactionalId, metadata)
    else known.metadata = metadata
  }
}

const valueOf = (metadata: TransactionMetadata): Uint8Array => {
  const { state, partitions } = metadata
  return encodeVersioned(transactionLogValue, VALUE_VERSION, {
    producerId: metadata.producerId,
    previousProducerId: metadata.previousProducerId,
    nextProducerId: metadata.nextProducerId,
    producerEpoch: metadata.producerEpoch,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStatus: TRANSACTION_STATES.indexOf(state),
    transactionPartitions:
      state === 'Empty'
        ? null
        : [...partitions].map(([topic, indexes]) => ({ topic, partitionIds: [...indexes] })),
    transactionLastUpdateTimestampMs: metadata.lastUpdateTimestamp,
    transactionStartTimestampMs: metadata.startTimestamp,
    clientTransactionVersion: metadata.clientTransactionVersion,
  })
}

const metadataOf = (bytes: Uint8Array): TransactionMetadata => {
  const value = decodeVersioned(transactionLogValue, bytes)
  const state = TRANSACTION_STATES[value.transactionStatus]
  if (state === undefined) {
    throw new OttlaError(
      'STORAGE_CORRUPT',
      `A transaction has the state number ${value.transactionStatus}; expected 0 to ${TRANSACTION_STATES.length - 1}.`,
    )
  }
  return {
    producerId: value.producerId,
    previousProducerId: value.previousProducerId ?? -1,
    nextProducerId: value.nextProducerId ?? -1,
    producerEpoch: value.producerEpoch,
    // The log does not have it: a retry across a restart is fenced, as in Kafka.
    lastProducerEpoch: -1,
    timeoutMs: value.transactionTimeoutMs,
    state,
    partitions: new Map(
      (value.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]),
    ),
    startTimestamp: value.transactionStartTimestampMs,
    lastUpdateTimestamp: value.transactionLastUpdateTimestampMs,
    clientTransactionVersion: value.clientTransactionVersion ?? 0,
  }
}

/**
 * What a coordinator keeps of a transactional id, and how it goes from one state to the next: Kafka's TransactionMetadata
 * (KIP-98, KIP-360, KIP-890) without anything that waits. Nothing here is changed; every step makes a new value, which
 * counts once it is in the log.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/** Kafka's states; the index is the number in the log. The last two are never written here. */
export const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
] as const

/** Where a transactional id stands. */
export type TransactionState = (typeof TRANSACTION_STATES)[number]

/** From this level of the feature transaction.version on each transaction has an epoch of its own (KIP-890). */
export const EPOCH_BUMP_LEVEL = 2

/** The largest producer epoch; it is kept for fencing, so that producers get at most one less than that. */
const MAX_EPOCH = 0x7fff
/** No producer id, and no epoch. */
const NONE = -1

/** The partitions of a transaction, by topic. */
export type TransactionPartitions = ReadonlyMap<string, ReadonlySet<number>>

const NO_PARTITIONS: TransactionPartitions = new Map()

/** What is known of a transactional id. */
export interface TransactionMetadata {
  readonly producerId: number
  /** The producer id before the one it has, which a client may still ask with that missed the answer; -1 for none. */
  readonly previousProducerId: number
  /** The producer id that it has once the transaction is complete, when its epochs are used up; otherwise -1. */
  readonly nextProducerId: number
  readonly producerEpoch: number
  /** The epoch before; -1 when another producer has taken over since, or when the log was read again. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly state: TransactionState
  /** Those that have, or may have, records of the transaction. */
  readonly partitions: TransactionPartitions
  /** When the transaction began, in milliseconds since the epoch; -1 before the first one. */
  readonly startTimestamp: number
  readonly lastUpdateTimestamp: number
  /** The level of transaction.version that the client speaks who made the last step. */
  readonly clientTransactionVersion: number
}

/** A producer as it presents itself. */
export interface ProducerIdAndEpoch {
  readonly producerId: number
  readonly producerEpoch: number
}

/** What is kept of a transactional id that nobody has used yet. */
export const newTransactionalId = (
  producerId: number,
  timeoutMs: number,
  nowMs: number,
): TransactionMetadata => ({
  producerId,
  previousProducerId: NONE,
  nextProducerId: NONE,
  producerEpoch: NONE,
  lastProducerEpoch: NONE,
  timeoutMs,
  state: 'Empty',
  partitions: NO_PARTITIONS,
  startTimestamp: -1,
  lastUpdateTimestamp: nowMs,
  clientTransactionVersion: 0,
})

const isExhausted = (epoch: number): boolean => epoch >= MAX_EPOCH - 1

/** Whether the decision is made and markers are still to be written. */
export const isPrepared = ({ state }: TransactionMetadata): boolean =>
  state === 'PrepareCommit' || state === 'PrepareAbort'

/** Whether the transaction has written, or may write, to the partition. */
export const hasPartition = (
  { partitions }: TransactionMetadata,
  topic: string,
  partition: number,
): boolean => partitions.get(topic)?.has(partition) === true

/** Whether the next epoch takes a new producer id. */
export const needsProducerId = ({ producerEpoch }: TransactionMetadata): boolean => isExhausted(producerEpoch)

/**
 * A producer takes over the id, or goes on after an error with the next epoch (`expected` is who it was, KIP-360).
 * @param newProducerId to be used when {@link needsProducerId}.
 * @throws OttlaError PRODUCER_FENCED when another producer has taken over from `expected`.
 */
export const initialized = (
  metadata: TransactionMetadata,
  expected: ProducerIdAndEpoch | undefined,
  timeoutMs: number,
  newProducerId: number,
  nowMs: number,
): TransactionMetadata => {
  const next = {
    ...metadata,
    timeoutMs,
    state: 'Empty',
    previousProducerId: metadata.producerId,
    nextProducerId: NONE,
    partitions: NO_PARTITIONS,
    startTimestamp: -1,
    lastUpdateTimestamp: nowMs,
    clientTransactionVersion: 0,
  } as const
  const { producerEpoch } = metadata
  if (needsProducerId(metadata) && (expected === undefined || expected.producerEpoch === producerEpoch)) {
    const lastProducerEpoch = expected === undefined ? NONE : producerEpoch
    return { ...next, producerId: newProducerId, producerEpoch: 0, lastProducerEpoch }
  }
  if (expected === undefined) {
    return { ...next, producerEpoch: producerEpoch + 1, lastProducerEpoch: NONE }
  }
  if (producerEpoch === NONE || expected.producerEpoch === producerEpoch) {
    return { ...next, producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch }
  }
  // The answer to its first attempt was lost: it gets the same one again.
  if (expected.producerEpoch === metadata.lastProducerEpoch) return { ...next, producerEpoch }
  throw fenced(expected.producerEpoch, producerEpoch)
}

/**
 * Whether a producer that was `expected` may go on under the id at all; its epoch is for {@link initialized} to judge.
 * @throws OttlaError PRODUCER_FENCED.
 */
export const checkExpected = (metadata: TransactionMetadata, expected: ProducerIdAndEpoch): void => {
  const { producerId, previousProducerId, producerEpoch } = metadata
  if (producerEpoch === NONE || expected.producerId === producerId) return
  // Its epochs were used up, and it never heard of the new id that it was given for that.
  if (expected.producerId === previousProducerId && isExhausted(expected.producerEpoch)) return
  throw new OttlaError(
    'PRODUCER_FENCED',
    `Producer ${expected.producerId} asks for its next epoch; the transactional id belongs to producer ${producerId}.`,
    { details: { producerId: expected.producerId, expected: producerId } },
  )
}

/** The transaction, which begins with that if it has not yet, will write to these partitions too. */
export const withPartitions = (
  metadata: TransactionMetadata,
  added: TransactionPartitions,
  clientTransactionVersion: number,
  nowMs: number,
): TransactionMetadata => {
  const partitions = new Map(metadata.partitions)
  for (const [topic, indexes] of added) {
    partitions.set(topic, new Set([...(partitions.get(topic) ?? []), ...indexes]))
  }
  return {
    ...metadata,
    previousProducerId: metadata.producerId,
    state: 'Ongoing',
    partitions,
    startTimestamp: metadata.state === 'Ongoing' ? metadata.startTimestamp : nowMs,
    lastUpdateTimestamp: nowMs,
    clientTransactionVersion,
  }
}

/** Nobody but the coordinator has this epoch: whatever the producer does from now on is refused. */
export const withFencingEpoch = (metadata: TransactionMetadata): TransactionMetadata => ({
  ...metadata,
  producerEpoch: Math.min(metadata.producerEpoch + 1, MAX_EPOCH),
  lastProducerEpoch: NONE,
})

/**
 * The transaction is decided: this is what no crash undoes. Markers carry the epoch that it has from here on.
 * @param newProducerId to be used when {@link needsProducerId}.
 */
export const prepared = (
  metadata: TransactionMetadata,
  isCommit: boolean,
  clientTransactionVersion: number,
  newProducerId: number,
  nowMs: number,
): TransactionMetadata => {
  const { producerId, producerEpoch } = metadata
  const isBumped = clientTransactionVersion >= EPOCH_BUMP_LEVEL
  return {
    ...metadata,
    state: isCommit ? 'PrepareCommit' : 'PrepareAbort',
    previousProducerId: producerId,
    nextProducerId: isBumped && needsProducerId(metadata) ? newProducerId : NONE,
    ...(isBumped
      ? { producerEpoch: Math.min(producerEpoch + 1, MAX_EPOCH), lastProducerEpoch: producerEpoch }
      : {}),
    // One that is aborted before it began is as if it had begun now.
    startTimestamp: metadata.state === 'Ongoing' ? metadata.startTimestamp : nowMs,
    lastUpdateTimestamp: nowMs,
    clientTransactionVersion,
  }
}

/** All markers are written. */
export const completed = (metadata: TransactionMetadata, nowMs: number): TransactionMetadata => {
  const { producerId, nextProducerId } = metadata
  return {
    ...metadata,
    state: metadata.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    previousProducerId: producerId,
    ...(nextProducerId === NONE ? {} : { producerId: nextProducerId, producerEpoch: 0 }),
    nextProducerId: NONE,
    partitions: NO_PARTITIONS,
    lastUpdateTimestamp: nowMs,
  }
}

/** The error of a producer whose epoch is not the one that counts. */
export const fenced = (producerEpoch: number, expected: number): OttlaError =>
  new OttlaError(
    'PRODUCER_FENCED',
    `The producer has epoch ${producerEpoch}; expected ${expected}, which was given out last.`,
    { details: { producerEpoch, expected } },
  )

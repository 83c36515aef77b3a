/**
 * What a request to commit or abort means in the state that the transactional id is in: Kafka's endTransaction of 4.3,
 * for clients of both kinds.
 */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import {
  EPOCH_BUMP_LEVEL,
  fenced,
  type ProducerIdAndEpoch,
  type TransactionMetadata,
} from './transaction-metadata.js'

/** The last epoch that a producer uses of an id: the request that ended its transaction may come again. */
const LAST_EPOCH = 0x7ffe

/** What is to be done: decide the transaction, or nothing, because this is a request that was carried out before. */
export type EndDecision = 'prepare' | 'done'

/**
 * @param clientTransactionVersion 2 for a client that expects a new epoch with the answer, 0 for older ones.
 * @throws OttlaError INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED; CONCURRENT_TRANSACTIONS while the markers of the same
 * decision are written; INVALID_TXN_STATE for the opposite decision, and when there is nothing to end.
 */
export const decideEnd = (
  metadata: TransactionMetadata,
  producer: ProducerIdAndEpoch,
  isCommit: boolean,
  clientTransactionVersion: number,
): EndDecision =>
  clientTransactionVersion >= EPOCH_BUMP_LEVEL
    ? decideWithBump(metadata, producer, isCommit)
    : decideWithoutBump(metadata, producer, isCommit)

const decideWithBump = (
  metadata: TransactionMetadata,
  producer: ProducerIdAndEpoch,
  isCommit: boolean,
): EndDecision => {
  const { state, producerId, previousProducerId, producerEpoch } = metadata
  const isRetryOfLast =
    previousProducerId === producer.producerId && producer.producerEpoch === LAST_EPOCH && producerEpoch === 0
  const isRetryOfBump = producerEpoch === producer.producerEpoch + 1
  const isRetry = isRetryOfBump || isRetryOfLast
  if (producerId !== producer.producerId && !isRetryOfLast) throw notMapped(producer, producerId)
  const isCurrent = producerEpoch === producer.producerEpoch
  switch (state) {
    case 'Ongoing':
      if (!isCurrent) throw fenced(producer.producerEpoch, producerEpoch)
      return 'prepare'
    case 'Empty':
      if (!isCurrent) throw fenced(producer.producerEpoch, producerEpoch)
      // Nothing was written: that can be aborted, and costs an epoch as well.
      if (isCommit) throw invalidState(state, isCommit)
      return 'prepare'
    case 'PrepareCommit':
    case 'PrepareAbort':
      if (!isRetryOfBump) throw fenced(producer.producerEpoch, producerEpoch)
      if (isCommit !== (state === 'PrepareCommit')) throw invalidState(state, isCommit)
      throw underWay()
    case 'CompleteCommit':
    case 'CompleteAbort':
      if (isRetry && isCommit === (state === 'CompleteCommit')) return 'done'
      if (isRetry) throw invalidState(state, isCommit)
      if (!isCurrent) throw fenced(producer.producerEpoch, producerEpoch)
      if (isCommit) throw invalidState(state, isCommit)
      return 'prepare'
    default:
      throw invalidState(state, isCommit)
  }
}

const decideWithoutBump = (
  { state, producerId, producerEpoch }: TransactionMetadata,
  producer: ProducerIdAndEpoch,
  isCommit: boolean,
): EndDecision => {
  if (producerId !== producer.producerId) throw notMapped(producer, producerId)
  if (producerEpoch !== producer.producerEpoch) throw fenced(producer.producerEpoch, producerEpoch)
  if (state === 'Ongoing') return 'prepare'
  if (state === (isCommit ? 'CompleteCommit' : 'CompleteAbort')) return 'done'
  if (state === (isCommit ? 'PrepareCommit' : 'PrepareAbort')) throw underWay()
  throw invalidState(state, isCommit)
}

/** The error of a producer that is not the one of the transactional id. */
export const notMapped = ({ producerId }: ProducerIdAndEpoch, expected?: number): OttlaError =>
  new OttlaError(
    'INVALID_PRODUCER_ID_MAPPING',
    expected === undefined
      ? `Producer ${producerId} has a transactional id that is not known; expected one that InitProducerId was called with.`
      : `The producer id is ${producerId}; expected ${expected}, which the transactional id has.`,
    { details: { producerId, ...(expected === undefined ? {} : { expected }) } },
  )

/** The error of one who has to wait for a step that is being taken. */
export const underWay = (): OttlaError =>
  new OttlaError('CONCURRENT_TRANSACTIONS', 'The transaction before is just being ended; ask again.')

const invalidState = (state: string, isCommit: boolean): OttlaError =>
  new OttlaError(
    'INVALID_TXN_STATE',
    `The transactional id is ${state}: there is no transaction to ${isCommit ? 'commit' : 'abort'}.`,
    { details: { state } },
  )

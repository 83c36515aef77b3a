/**
 * What a transactional batch has to pass before it is appended (T4): its partition must be in the transaction. Clients
 * with an epoch for each transaction add it by writing; those before have added it already (KIP-890).
 */
import type { AppendResult } from '../../log/append-and-read.js'
import type { produce } from '../../protocol/api/produce.js'
import type { RequestOf } from '../../protocol/schema.js'
import { FIELD, isTransactionalBatch, MAGIC, readHeader } from '../../record/header.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { BrokerServices } from '../services.js'
import type { Partition } from '../topic.js'
import { EPOCH_BUMP_LEVEL } from '../transactions/transaction-metadata.js'

/** The first version whose clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE = 11
/** The first version that adds partitions to the transaction. */
const IMPLICIT_SINCE = 12

/** Whether its client has a new epoch for each transaction. */
export const isEpochBumped = (apiVersion: number): boolean => apiVersion >= IMPLICIT_SINCE

/** Whether one of the batches belongs to a transaction. */
export const hasTransactionalBatch = ({ topicData }: RequestOf<typeof produce>): boolean =>
  topicData.some(({ partitionData }) =>
    partitionData.some(
      ({ records }) =>
        records?.some((batch) => batch[FIELD.magic] === MAGIC && isTransactionalBatch(batch)) ?? false,
    ),
  )

/**
 * Calls `append` when `batch` may enter the partition, for several batches of a transaction in the order of the calls.
 * @throws OttlaError as clients of that version expect it of Produce.
 */
export const appendInTransaction = async (
  { transactions }: BrokerServices,
  transactionalId: string,
  batch: Uint8Array,
  { topic, index }: Partition,
  apiVersion: number,
  append: () => Promise<AppendResult>,
): Promise<AppendResult> => {
  const partitions = new Map([[topic.name, new Set([index])]])
  try {
    const producer = readHeader(batch)
    return await (isEpochBumped(apiVersion)
      ? transactions.addPartitions(transactionalId, producer, partitions, EPOCH_BUMP_LEVEL, append)
      : transactions.verify(transactionalId, producer, partitions, append))
  } catch (error) {
    throw forClient(error, apiVersion)
  }
}

const forClient = (error: unknown, apiVersion: number): unknown => {
  if (!OttlaError.is(error)) return error
  const code = codeFor(error.code, apiVersion)
  return code === error.code ? error : new OttlaError(code, error.message, { cause: error })
}

const codeFor = (code: ErrorCode, apiVersion: number): ErrorCode => {
  switch (code) {
    case 'PRODUCER_FENCED':
      return 'INVALID_PRODUCER_EPOCH'
    case 'TRANSACTION_ABORTABLE':
      return apiVersion < ABORTABLE_SINCE ? 'INVALID_TXN_STATE' : code
    case 'CONCURRENT_TRANSACTIONS':
      // What older clients try again without asking for metadata first.
      return isEpochBumped(apiVersion) ? code : 'NOT_ENOUGH_REPLICAS'
    case 'COORDINATOR_NOT_AVAILABLE':
    case 'NOT_COORDINATOR':
      return 'NOT_ENOUGH_REPLICAS'
    default:
      return code
  }
}

/**
 * TxnOffsetCommit: offsets of a group that count once the transaction is committed (T1). From version 5 on it adds the
 * group to the transaction as well (KIP-890); before that, AddOffsetsToTxn has.
 */
import type { txnOffsetCommit } from '../../protocol/api/txn-offset-commit.js'
import type { ErrorCode } from '../../runtime/errors/error-table.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { OffsetToCommit } from '../groups/offsets-partition.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import { EPOCH_BUMP_LEVEL } from '../transactions/transaction-metadata.js'
import type { Handler } from './handler.js'

/** The first version whose clients know TRANSACTION_ABORTABLE. */
const ABORTABLE_SINCE = 4
/** The first version that adds the group to the transaction. */
const IMPLICIT_SINCE = 5

export const handleTxnOffsetCommit: Handler<typeof txnOffsetCommit> = async (services, request, context) => {
  const { groups, transactions } = services
  const { transactionalId, groupId, memberId, generationId: generation, groupInstanceId } = request
  const maxMetadata = services.configs['offset.metadata.max.bytes']
  const offsets: OffsetToCommit[] = []
  const topics = request.topics.map(({ name, partitions }) => {
    const topic = services.metadata.topic(name)
    const answers = partitions.map((wanted) => {
      const { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch } = wanted
      const metadata = wanted.committedMetadata ?? ''
      let problem: ErrorCode | undefined
      if (topic?.partition(partitionIndex) === undefined) problem = 'UNKNOWN_TOPIC_OR_PARTITION'
      else if (metadata.length > maxMetadata) problem = 'OFFSET_METADATA_TOO_LARGE'
      else {
        const committed = { offset, leaderEpoch, metadata, topicId: topic.id }
        offsets.push({ topic: name, partition: partitionIndex, committed })
      }
      return { partitionIndex, errorCode: problem === undefined ? 0 : codeOf(problem) }
    })
    return { name, partitions: answers }
  })
  if (offsets.length === 0) return { throttleTimeMs: 0, topics }
  let failure = 0
  try {
    const who = { groupId, memberId, generation, groupInstanceId }
    const commit = (): Promise<void> => groups.commitInTransaction(who, request, offsets, context)
    const partitions = await groups.offsetsPartitionsOf(groupId)
    await (context.apiVersion >= IMPLICIT_SINCE
      ? transactions.addPartitions(transactionalId, request, partitions, EPOCH_BUMP_LEVEL, commit)
      : transactions.verify(transactionalId, request, partitions, commit))
  } catch (error) {
    failure = codeFor(error, context.apiVersion)
  }
  if (failure === 0) return { throttleTimeMs: 0, topics }
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, errorCode }) => ({
        partitionIndex,
        errorCode: errorCode === 0 ? failure : errorCode,
      })),
    })),
  }
}

/** What clients of that version expect of a group coordinator. */
const codeFor = (error: unknown, apiVersion: number): number => {
  if (OttlaError.is(error, 'PRODUCER_FENCED')) return codeOf('INVALID_PRODUCER_EPOCH')
  if (apiVersion < ABORTABLE_SINCE && OttlaError.is(error, 'TRANSACTION_ABORTABLE')) {
    return codeOf('INVALID_TXN_STATE')
  }
  if (apiVersion < IMPLICIT_SINCE && OttlaError.is(error, 'CONCURRENT_TRANSACTIONS')) {
    return codeOf('COORDINATOR_LOAD_IN_PROGRESS')
  }
  return responseErrorOf(error).errorCode
}

/** Admin requests about what transaction coordinators know (KIP-664). */
import { describeTransactions as describeTransactionsApi } from '../../protocol/api/describe-transactions.js'
import { listTransactions as listTransactionsApi } from '../../protocol/api/list-transactions.js'
import type { Channel } from '../../protocol/channel.js'
import { errorFromKafkaCode, invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import { withRetries } from '../retry.js'
import type { AdminOptions } from './admin-options.js'
import { askCoordinator } from './coordinator.js'
import { Outcomes } from './outcomes.js'

const TRANSACTION_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'PrepareEpochFence',
] as const

/**
 * Where the transaction of a transactional id stands: there has been none, it goes on, its end is being written to the
 * partitions or has been, or the producer's epoch is being raised to end what an earlier one left.
 */
export type TransactionState = (typeof TRANSACTION_STATES)[number]

/** A transactional id in the list of them. */
export interface TransactionListing {
  /** Its name. */
  readonly transactionalId: string
  /** The producer that has it. */
  readonly producerId: number
  /** `Unknown` for a state that came after this client. */
  readonly state: TransactionState | 'Unknown'
}

/** What a coordinator knows of a transactional id. */
export interface TransactionDescription extends TransactionListing {
  /** The producer's epoch. */
  readonly producerEpoch: number
  /** How long a transaction may go on before the coordinator aborts it, in milliseconds. */
  readonly transactionTimeoutMs: number
  /** When the transaction began, in milliseconds since the epoch; undefined when there is none. */
  readonly transactionStartTimeMs: number | undefined
  /** The partitions that it has written to. */
  readonly topicPartitions: readonly TopicPartition[]
}

/** Which transactional ids are meant; nothing said is all of them. */
export interface ListTransactionsOptions extends AdminOptions {
  /** Those in one of these states. */
  readonly states?: readonly TransactionState[]
  /** Those of these producers. */
  readonly producerIds?: readonly number[]
  /** Those whose transaction has gone on for longer than this, in milliseconds (KIP-994). */
  readonly durationMs?: number
  /** Those that this finds something in; it is matched here, after the broker has answered. */
  readonly transactionalIdPattern?: RegExp
}

/** Has every transaction pass. */
const ANY_DURATION = -1

export const listTransactions = async (
  context: ClientContext,
  options: ListTransactionsOptions,
): Promise<readonly TransactionListing[]> => {
  const { states = [], producerIds = [], durationMs, transactionalIdPattern, signal } = options
  for (const state of states) checkState(state)
  if (durationMs !== undefined) checkDuration(durationMs)
  const request = {
    stateFilters: states,
    producerIdFilters: producerIds,
    durationFilter: durationMs ?? ANY_DURATION,
  }
  const ask = async () => {
    const channel = await context.cluster.any({ signal })
    const answer = await channel.send(listTransactionsApi, request, { signal })
    if (answer.errorCode !== 0) throw errorFromKafkaCode(answer.errorCode)
    return answer.transactionStates
  }
  const listed = await withRetries(ask, { ...context, signal })
  return listed
    .filter(({ transactionalId: id }) =>
      // Not test, which goes by where a pattern with the flag g has last ended.
      transactionalIdPattern === undefined ? true : id.search(transactionalIdPattern) >= 0,
    )
    .map(({ transactionalId, producerId, transactionState }) => ({
      transactionalId,
      producerId,
      state: stateOf(transactionState),
    }))
}

/** Callers without types may say anything, and the broker would find nothing in a state that there is not. */
const checkState = (state: string): void => {
  if (stateOf(state) !== 'Unknown') return
  throw invalidArgument('The state', state, `one of ${TRANSACTION_STATES.join(', ')}`)
}

const checkDuration = (durationMs: number): void => {
  if (Number.isSafeInteger(durationMs) && durationMs >= 0) return
  throw invalidArgument('durationMs', durationMs, 'a whole number of milliseconds from 0 on')
}

const stateOf = (name: string): TransactionState | 'Unknown' =>
  TRANSACTION_STATES.find((state) => state === name) ?? 'Unknown'

export const describeTransactions = async (
  context: ClientContext,
  transactionalIds: readonly string[],
  { signal }: AdminOptions,
): Promise<readonly TransactionDescription[]> => {
  const outcomes = new Outcomes<TransactionDescription>(transactionalIds)
  const describe = (transactionalId: string): Promise<TransactionDescription> => {
    const ask = (coordinator: Channel) => describeTransaction(coordinator, transactionalId, signal)
    return askCoordinator(context, { of: transactionalId, type: 'transaction', ask, signal })
  }
  await Promise.all(transactionalIds.map((id) => outcomes.attempt(id, () => describe(id))))
  return outcomes.results()
}

const describeTransaction = async (
  coordinator: Channel,
  transactionalId: string,
  signal: AbortSignal | undefined,
): Promise<TransactionDescription> => {
  const request = { transactionalIds: [transactionalId] }
  const { transactionStates } = await coordinator.send(describeTransactionsApi, request, { signal })
  const [described] = transactionStates
  if (described === undefined)
    throw new OttlaError('UNKNOWN_SERVER_ERROR', `The coordinator did not answer for ${transactionalId}.`)
  const { errorCode, transactionState, transactionStartTimeMs, topics, ...rest } = described
  if (errorCode !== 0) {
    const { message } = errorFromKafkaCode(errorCode)
    const details = { transactionalId }
    throw errorFromKafkaCode(errorCode, `Transactional id ${transactionalId}: ${message}`, { details })
  }
  return {
    transactionalId,
    state: stateOf(transactionState),
    producerId: rest.producerId,
    producerEpoch: rest.producerEpoch,
    transactionTimeoutMs: rest.transactionTimeoutMs,
    transactionStartTimeMs: transactionStartTimeMs < 0 ? undefined : transactionStartTimeMs,
    topicPartitions: topics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    ),
  }
}

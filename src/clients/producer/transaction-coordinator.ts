/**
 * What a transactional producer asks the coordinators: of its transactional id, and of the groups whose offsets it
 * commits. Each question is asked again until it is answered, or its time is up.
 */
import { addOffsetsToTxn } from '../../protocol/api/add-offsets-to-txn.js'
import { addPartitionsToTxn } from '../../protocol/api/add-partitions-to-txn.js'
import { apiVersions } from '../../protocol/api/api-versions.js'
import { endTxn } from '../../protocol/api/end-txn.js'
import { initProducerId } from '../../protocol/api/init-producer-id.js'
import { txnOffsetCommit } from '../../protocol/api/txn-offset-commit.js'
import type { Channel } from '../../protocol/channel.js'
import { abortable, anySignal } from '../../runtime/abort.js'
import { errorFromKafkaCode, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { CoordinatorType } from '../cluster.js'
import type { ClientContext } from '../context.js'
import type { ConsumerGroupMetadata } from '../group/consumer-group-metadata.js'
import type { OffsetToCommit } from '../group/group-offsets.js'
import type { TopicPartition } from '../message.js'
import { backoffMs } from '../retry.js'
import type { ProducerIdentity } from './producer-identity.js'
import type { CheckedProducerOptions } from './producer-options.js'

/** What AddPartitionsToTxn, AddOffsetsToTxn and the others may at most be for a broker without transaction version 2. */
const CLIENTS_ADD_PARTITIONS_VERSION = 3
const EXPLICIT_END_VERSION = 4
const EXPLICIT_OFFSETS_VERSION = 4

/** From this level of the feature transaction.version on, partitions and groups are added by writing (KIP-890). */
const IMPLICIT_LEVEL = 2

/** Errors after which the coordinator is looked up anew. */
const MOVED: ReadonlySet<string> = new Set([
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
])

/** The coordinators, as one transactional id sees them. */
export class TransactionCoordinator {
  readonly transactionalId: string
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  /** Those that have not fired serve again: to make one takes longer than a question in the same process. */
  readonly #idleExpiries: AbortController[] = []

  constructor(context: ClientContext, options: CheckedProducerOptions, transactionalId: string) {
    this.#context = context
    this.#options = options
    this.transactionalId = transactionalId
  }

  /** Whether the cluster adds partitions to transactions by itself, and bumps the epoch with each (KIP-890). */
  isImplicit(signal: AbortSignal | undefined): Promise<boolean> {
    return this.#ask('transaction', this.transactionalId, signal, async (channel, requestSignal) => {
      const request = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0' }
      const answer = await channel.send(apiVersions, request, { signal: requestSignal })
      check(answer.errorCode)
      const level = answer.finalizedFeatures?.find(({ name }) => name === 'transaction.version')
      return (level?.maxVersionLevel ?? 0) >= IMPLICIT_LEVEL
    })
  }

  /** A first identity, which fences older producers; or the next epoch of `current` (KIP-360). */
  init(current: ProducerIdentity | undefined, signal: AbortSignal | undefined): Promise<ProducerIdentity> {
    return this.#ask('transaction', this.transactionalId, signal, async (channel, requestSignal) => {
      const { errorCode, producerId, producerEpoch } = await channel.send(
        initProducerId,
        {
          transactionalId: this.transactionalId,
          transactionTimeoutMs: this.#options.transactionTimeoutMs,
          producerId: current?.producerId ?? -1,
          producerEpoch: current?.producerEpoch ?? -1,
        },
        { signal: requestSignal },
      )
      check(errorCode)
      return { producerId, producerEpoch, isTransactional: true }
    })
  }

  /** The transaction will write to the partition. */
  addPartition(
    identity: ProducerIdentity,
    { topic, partition }: TopicPartition,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    return this.#ask('transaction', this.transactionalId, signal, async (channel, requestSignal) => {
      const { resultsByTopicV3AndBelow: results } = await channel.send(
        addPartitionsToTxn,
        {
          transactions: [],
          v3AndBelowTransactionalId: this.transactionalId,
          v3AndBelowProducerId: identity.producerId,
          v3AndBelowProducerEpoch: identity.producerEpoch,
          v3AndBelowTopics: [{ name: topic, partitions: [partition] }],
        },
        { signal: requestSignal, maxVersion: CLIENTS_ADD_PARTITIONS_VERSION },
      )
      for (const { resultsByPartition } of results)
        for (const { partitionErrorCode } of resultsByPartition) check(partitionErrorCode)
    })
  }

  /** The transaction will commit offsets of the group. */
  addOffsets(identity: ProducerIdentity, groupId: string, signal: AbortSignal | undefined): Promise<void> {
    return this.#ask('transaction', this.transactionalId, signal, async (channel, requestSignal) => {
      const request = { ...this.#of(identity), groupId }
      check((await channel.send(addOffsetsToTxn, request, { signal: requestSignal })).errorCode)
    })
  }

  /** The offsets count once the transaction is committed. */
  commitOffsets(
    identity: ProducerIdentity,
    group: ConsumerGroupMetadata,
    offsets: readonly OffsetToCommit[],
    isImplicit: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const topics = new Map<string, OffsetToCommit[]>()
    for (const offset of offsets) {
      const ofTopic = topics.get(offset.topic)
      if (ofTopic === undefined) topics.set(offset.topic, [offset])
      else ofTopic.push(offset)
    }
    return this.#ask('group', group.groupId, signal, async (channel, requestSignal) => {
      const answer = await channel.send(
        txnOffsetCommit,
        {
          ...this.#of(identity),
          ...group,
          topics: [...topics].map(([name, ofTopic]) => ({
            name,
            partitions: ofTopic.map(({ partition, offset, leaderEpoch = -1, metadata = '' }) => ({
              partitionIndex: partition,
              committedOffset: offset,
              committedLeaderEpoch: leaderEpoch,
              committedMetadata: metadata,
            })),
          })),
        },
        { signal: requestSignal, ...(isImplicit ? {} : { maxVersion: EXPLICIT_OFFSETS_VERSION }) },
      )
      for (const { partitions } of answer.topics) for (const { errorCode } of partitions) check(errorCode)
    })
  }

  /** Commits or aborts; the identity for what follows, which is the same one where the epoch is not bumped. */
  end(
    identity: ProducerIdentity,
    committed: boolean,
    isImplicit: boolean,
    signal: AbortSignal | undefined,
  ): Promise<ProducerIdentity> {
    return this.#ask('transaction', this.transactionalId, signal, async (channel, requestSignal) => {
      const { errorCode, producerId, producerEpoch } = await channel.send(
        endTxn,
        { ...this.#of(identity), committed },
        { signal: requestSignal, ...(isImplicit ? {} : { maxVersion: EXPLICIT_END_VERSION }) },
      )
      check(errorCode)
      return isImplicit && producerId >= 0 ? { producerId, producerEpoch, isTransactional: true } : identity
    })
  }

  #of({ producerId, producerEpoch }: ProducerIdentity) {
    return { transactionalId: this.transactionalId, producerId, producerEpoch }
  }

  /** Asks until there is an answer; bounded by maxBlockMs, each request by requestTimeoutMs. */
  async #ask<T>(
    type: CoordinatorType,
    key: string,
    signal: AbortSignal | undefined,
    question: (channel: Channel, signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const { clock, timers, random, cluster } = this.#context
    const { maxBlockMs, requestTimeoutMs } = this.#options
    const deadline = clock.monotonic() + maxBlockMs
    for (let attempt = 0; ; attempt++) {
      const expiry = this.#idleExpiries.pop() ?? new AbortController()
      const either = anySignal(signal, expiry.signal)
      const timeoutMs = Math.max(0, Math.min(requestTimeoutMs, deadline - clock.monotonic()))
      const timer = timers.schedule(timeoutMs, () => expiry.abort(timedOut(key, timeoutMs)))
      try {
        const channel = await cluster.coordinator(key, { type, signal: either })
        return await abortable(question(channel, either), either)
      } catch (error) {
        if (!OttlaError.is(error)) throw error
        if (MOVED.has(error.code)) cluster.invalidateCoordinator(key, type)
        // A transactional id that has just ended a transaction is busy for a moment; so is a new topic's coordinator.
        const wait = backoffMs(this.#options, attempt, random)
        if (!error.retriable || clock.monotonic() + wait >= deadline) throw error
        await timers.sleep(wait, signal)
      } finally {
        timer.cancel()
        // A signal that was made part of another keeps track of that for ever.
        if (either === expiry.signal && !expiry.signal.aborted) this.#idleExpiries.push(expiry)
      }
    }
  }
}

const check = (errorCode: number): void => {
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode)
}

const timedOut = (key: string, timeoutMs: number): OttlaError =>
  new OttlaError('REQUEST_TIMED_OUT', `The coordinator of ${key} did not answer within ${timeoutMs} ms.`)

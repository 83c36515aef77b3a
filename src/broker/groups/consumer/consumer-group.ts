/**
 * A group of the consumer protocol, in which the broker decides who gets what (KIP-848): its durable state, what is
 * waited for, and the line in which changes of it wait for one another.
 */
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import type { ClassicGroup } from '../classic/classic-group.js'
import type { CommittedOffset } from '../committed-offsets.js'
import type { CoordinatorRecord } from '../coordinator-record.js'
import {
  CONSUMER_PROTOCOL_TYPE,
  Group,
  type CommitAttempt,
  type CommittedPartition,
  type GroupState,
} from '../group.js'
import { memberOf } from './consumer-changes.js'
import type { ConsumerMember } from './consumer-member.js'
import { tombstonesOf } from './consumer-records.js'
import { ConsumerState, FIRST_EPOCH } from './consumer-state.js'
import { MemberTimers } from './member-timers.js'

/** How many changes of one group may wait for the one that is being written. */
export const MAX_WAITING_CHANGES = 10_000

/** The first version of OffsetCommit that can tell a member's epoch. */
const EPOCH_SINCE = 9

/** A group whose members have the broker decide. */
export class ConsumerGroup extends Group {
  readonly type = 'consumer'
  readonly protocolType = CONSUMER_PROTOCOL_TYPE
  readonly timers = new MemberTimers()
  /** What is in the log. */
  durable = new ConsumerState()
  /** Whether topics may have come, grown or gone since a heartbeat looked. */
  isMetadataExpired = true
  /** The classic group that it takes the place of, until that is in the log. */
  replaced: ClassicGroup | undefined
  /** Whether it is gone: deleted, unloaded, or another has taken its place. */
  isDead = false
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  get state(): GroupState {
    return this.isDead ? 'Dead' : this.durable.name
  }

  get isEmpty(): boolean {
    return this.durable.members.size === 0 && this.#waiting === 0
  }

  get isUnused(): boolean {
    return this.durable.epoch === FIRST_EPOCH
  }

  /**
   * Runs `change` when all before it are done: what it sees is what is in the log.
   * @throws OttlaError NOT_COORDINATOR when the group is gone by then; COORDINATOR_NOT_AVAILABLE when
   * {@link MAX_WAITING_CHANGES} wait already.
   */
  async exclusive<T>(change: () => T | Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING_CHANGES) {
      throw new OttlaError(
        'COORDINATOR_NOT_AVAILABLE',
        `${this.#waiting} changes of group ${this.groupId} wait already, which is the most that may.`,
      )
    }
    this.#waiting++
    const run = this.#last.then(() => {
      if (this.isDead) {
        throw new OttlaError('NOT_COORDINATOR', `Group ${this.groupId} is not coordinated here any more.`)
      }
      return change()
    })
    this.#last = run.catch(() => undefined)
    try {
      return await run
    } finally {
      this.#waiting--
    }
  }

  subscribesTo(topic: string): boolean {
    return this.durable.subscribedTopicNames().has(topic)
  }

  expiryBase(): (committed: CommittedOffset) => number {
    return ({ commitTimestamp }) => commitTimestamp
  }

  checkCommit(attempt: CommitAttempt): void {
    const { memberId, generation, isTransactional } = attempt
    if (generation < 0 && this.durable.members.size === 0) return
    const isNobody = generation === -1 && memberId === '' && attempt.groupInstanceId === null
    if (isTransactional && isNobody) return
    const member = memberOf(this.durable, this.groupId, memberId)
    if (!isTransactional && member.subscription.classic === null && attempt.apiVersion < EPOCH_SINCE) {
      throw new OttlaError(
        'UNSUPPORTED_VERSION',
        'OffsetCommit version 9 or above must be used by members using the consumer group protocol',
      )
    }
    const { memberEpoch } = member.current
    if (generation === memberEpoch) return
    // A transaction knows generations only, whatever its consumer speaks.
    const refuse = (message: string): OttlaError => staleError(member, message, isTransactional)
    if (generation > memberEpoch) {
      throw refuse(
        `Received ${nameOf(member)} ${generation} is newer than current member epoch ${memberEpoch}.`,
      )
    }
    for (const partition of attempt.partitions) this.#checkGivenSince(member, partition, generation, refuse)
  }

  checkFetch(memberId: string | null, memberEpoch: number): void {
    if (memberId === null && memberEpoch < 0) return
    const member = memberOf(this.durable, this.groupId, memberId ?? '')
    const expected = member.current.memberEpoch
    if (memberEpoch === expected) return
    throw staleError(
      member,
      `The received ${nameOf(member)} ${memberEpoch} does not match the expected member epoch ${expected}.`,
    )
  }

  tombstones(): CoordinatorRecord[] {
    return tombstonesOf(this.groupId, this.durable)
  }

  /** There are none: who joins is a member at once. */
  forgetPendingMembers(): void {
    return
  }

  /** Nobody waits for it any more. */
  unload(): void {
    this.isDead = true
    this.timers.cancelAll()
  }

  /** A member may commit in an older epoch what it has had ever since (KIP-1251). */
  #checkGivenSince(
    { current }: ConsumerMember,
    { topic, topicId, partition }: CommittedPartition,
    received: number,
    refuse: (message: string) => OttlaError,
  ): void {
    const since =
      current.assigned.get(topicId)?.get(partition) ?? current.pendingRevocation.get(topicId)?.get(partition)
    if (since === undefined) {
      throw refuse(`Partition ${topic}-${partition} is not assigned or pending revocation for member.`)
    }
    if (received < since) {
      throw refuse(
        `Received epoch ${received} is older than assignment epoch ${since} for partition ${topic}-${partition}.`,
      )
    }
  }
}

const nameOf = ({ subscription }: ConsumerMember): string =>
  subscription.classic === null ? 'member epoch' : 'generation id'

const staleError = ({ subscription }: ConsumerMember, message: string, isTransactional = false): OttlaError =>
  new OttlaError(
    subscription.classic === null && !isTransactional ? 'STALE_MEMBER_EPOCH' : 'ILLEGAL_GENERATION',
    message,
  )

/**
 * Moves a group from generation to generation, as Kafka's classic protocol does: members join, the leader's
 * assignment is made durable, members sync. All of it is synchronous but for the one write; no clock is read and
 * nothing is stored except through what is handed in.
 */
import type { joinGroup } from '../../../protocol/api/join-group.js'
import { encodeAssignment } from '../../../protocol/consumer-protocol.js'
import type { ResponseOf } from '../../../protocol/schema.js'
import type { Clock, ScheduledTimer } from '../../../runtime/clock.js'
import type { ErrorCode } from '../../../runtime/errors/error-table.js'
import type { Timers } from '../../../runtime/timers.js'
import { responseErrorOf } from '../../response-errors.js'
import { CONSUMER_PROTOCOL_TYPE } from '../group.js'
import type { ClassicGroup } from './classic-group.js'
import { NO_BYTES, type GroupMember } from './group-member.js'
import { joinError, syncError, type SyncResponse } from './group-responses.js'

/**
 * How long a new member may wait for its first join: it cannot heartbeat yet, so this is what removes one whose
 * client is gone. Kafka's group.coordinator.new.member.join.timeout, which is no setting there either.
 */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000

/** What the rebalancer needs of the world. */
export interface RebalanceServices {
  readonly clock: Clock
  readonly timers: Timers
  readonly initialDelayMs: number
  /** Writes the group with these assignments to its log; resolves when that is durable. */
  persist(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Promise<void>
  /** A new generation has members. */
  onRebalanced(group: ClassicGroup): void
  /** The last member is gone. */
  onEmpty(group: ClassicGroup): void
}

/** Drives rebalances. It has no state of its own: everything is in the group. */
export class Rebalancer {
  readonly #services: RebalanceServices

  constructor(services: RebalanceServices) {
    this.#services = services
  }

  /** Starts a rebalance where the state allows one, or goes on with the one that is under way. */
  rebalance(group: ClassicGroup): void {
    if (group.state === 'PreparingRebalance') this.#completeJoinIfAllJoined(group)
    else if (group.state !== 'Dead') this.#prepare(group)
  }

  /** A member's join or its id were taken back: the others may be complete without it. */
  afterPendingRemoved(group: ClassicGroup): void {
    if (group.state === 'PreparingRebalance' && group.hasAllMembersJoined) this.#completeJoin(group)
  }

  /** Removes a member for good; whatever it waits for is answered. */
  removeMember(group: ClassicGroup, member: GroupMember): void {
    this.#dismiss(group, member)
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.rebalance(group)
    else this.afterPendingRemoved(group)
  }

  /** Removes several members that leave together, with one rebalance. */
  removeMembers(group: ClassicGroup, members: readonly GroupMember[]): void {
    for (const member of members) this.#dismiss(group, member)
    if (group.state === 'Stable' || group.state === 'CompletingRebalance') this.rebalance(group)
    else if (group.state === 'PreparingRebalance') this.#completeJoinIfAllJoined(group)
  }

  /**
   * A static member has come back without its id: it takes the place of what it was before, which is told so if it
   * still waits for anything.
   */
  replaceMember(group: ClassicGroup, old: GroupMember, member: GroupMember): void {
    answerJoin(old, joinError('FENCED_INSTANCE_ID', old.memberId))
    answerSync(old, syncError('FENCED_INSTANCE_ID'))
    group.replace(old, member)
    this.extendSession(group, member)
  }

  /** Waits anew for the next sign of life of `member`. */
  extendSession(group: ClassicGroup, member: GroupMember, timeoutMs = member.terms.sessionTimeoutMs): void {
    member.sessionTimer?.cancel()
    member.sessionTimer = this.#services.timers.schedule(
      timeoutMs,
      () => this.#expireSession(group, member),
      {
        keepAlive: false,
      },
    )
  }

  /** Gives the id of a member that has not joined yet back after `timeoutMs`. */
  addPending(group: ClassicGroup, memberId: string, timeoutMs: number): void {
    const forget = (): void => {
      group.remove(memberId)
      this.afterPendingRemoved(group)
    }
    group.pendingMembers.set(
      memberId,
      this.#services.timers.schedule(timeoutMs, forget, { keepAlive: false }),
    )
  }

  /** The leader's assignment: made durable, then handed to all members (G4). */
  async assign(group: ClassicGroup, assignments: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { generation } = group
    const complete = new Map<string, Uint8Array>()
    for (const memberId of group.members.keys()) {
      const assignment = assignments.get(memberId)
      // A member that the leader forgot has nothing, which it must be able to read: zero bytes is no assignment.
      const known = assignment !== undefined && assignment.length > 0
      complete.set(memberId, known ? assignment : emptyAssignment(group.protocolType))
    }
    let failure: unknown
    try {
      await this.#services.persist(group, complete)
    } catch (error) {
      failure = error
    }
    // Others may have joined, left or timed out while the record was written.
    if (group.state !== 'CompletingRebalance' || group.generation !== generation) return
    if (failure === undefined) {
      for (const member of group.members.values())
        member.assignment = complete.get(member.memberId) ?? NO_BYTES
      group.transitionTo('Stable', this.#services.clock.now())
      this.#answerSyncs(group, (member) => ({
        throttleTimeMs: 0,
        errorCode: 0,
        protocolType: group.protocolType,
        protocolName: group.protocolName,
        assignment: member.assignment,
      }))
    } else {
      const { errorCode } = responseErrorOf(failure)
      this.#answerSyncs(group, () => ({ ...syncError('UNKNOWN_SERVER_ERROR'), errorCode }))
      this.rebalance(group)
    }
  }

  /** Ends every wait: the broker is closing, and members find their coordinator anew. */
  unload(group: ClassicGroup): void {
    this.release(group, 'NOT_COORDINATOR')
    group.transitionTo('Dead', this.#services.clock.now())
  }

  /** Waits for nobody any more; who waits is answered with `error`. */
  release(group: ClassicGroup, error: ErrorCode): void {
    group.joinTimer?.cancel()
    group.syncTimer?.cancel()
    for (const timer of group.pendingMembers.values()) timer.cancel()
    for (const member of group.members.values()) {
      member.sessionTimer?.cancel()
      answerJoin(member, joinError(error, member.memberId))
      answerSync(member, syncError(error))
    }
  }

  #dismiss(group: ClassicGroup, member: GroupMember): void {
    answerJoin(member, joinError('UNKNOWN_MEMBER_ID', ''))
    answerSync(member, syncError('UNKNOWN_MEMBER_ID'))
    group.remove(member.memberId)
  }

  #expireSession(group: ClassicGroup, member: GroupMember): void {
    if (group.members.get(member.memberId) !== member) return
    // One who waits for the others cannot heartbeat; but a new one's client may be gone, so that one is removed.
    const waits = member.awaitingJoin !== undefined || member.awaitingSync !== undefined
    if (!member.isNew && waits) return
    this.removeMember(group, member)
  }

  #prepare(group: ClassicGroup): void {
    if (group.state === 'CompletingRebalance') {
      for (const member of group.members.values()) member.assignment = NO_BYTES
      this.#answerSyncs(group, () => syncError('REBALANCE_IN_PROGRESS'))
    }
    group.pendingSyncs.clear()
    group.syncTimer?.cancel()
    const isFirst = group.state === 'Empty'
    group.transitionTo('PreparingRebalance', this.#services.clock.now())
    const { initialDelayMs } = this.#services
    if (isFirst && initialDelayMs > 0) {
      group.memberAddedDuringDelay = false
      this.#delayFirst(group, initialDelayMs, Math.max(group.rebalanceTimeoutMs - initialDelayMs, 0))
    } else if (group.hasAllMembersJoined) this.#completeJoin(group)
    else this.#endJoinAfter(group, group.rebalanceTimeoutMs)
  }

  /** The first rebalance waits for more members: as long as some came during the last delay, and time remains. */
  #delayFirst(group: ClassicGroup, delayMs: number, remainingMs: number): void {
    group.joinTimer?.cancel()
    group.joinTimer = this.#schedule(delayMs, () => {
      if (!group.memberAddedDuringDelay || remainingMs === 0) {
        this.#completeJoin(group)
        return
      }
      group.memberAddedDuringDelay = false
      const nextDelayMs = Math.min(this.#services.initialDelayMs, remainingMs)
      this.#delayFirst(group, nextDelayMs, Math.max(remainingMs - delayMs, 0))
    })
  }

  #completeJoinIfAllJoined(group: ClassicGroup): void {
    const isDelayed = group.previousState === 'Empty' && this.#services.initialDelayMs > 0
    if (!isDelayed && group.hasAllMembersJoined) this.#completeJoin(group)
  }

  #endJoinAfter(group: ClassicGroup, delayMs: number): void {
    group.joinTimer?.cancel()
    group.joinTimer = this.#schedule(delayMs, () => this.#completeJoin(group))
  }

  #schedule(delayMs: number, callback: () => void): ScheduledTimer {
    return this.#services.timers.schedule(delayMs, callback)
  }

  /** The joining is over: who did not come back is out, and the next generation begins. */
  #completeJoin(group: ClassicGroup): void {
    group.joinTimer?.cancel()
    if (group.state !== 'PreparingRebalance') return
    for (const member of [...group.members.values()]) {
      // A static member may come back as long as its session lasts.
      if (member.awaitingJoin === undefined && member.groupInstanceId === null) group.remove(member.memberId)
    }
    if (!group.electJoinedLeader() && group.members.size > 0) {
      this.#endJoinAfter(group, group.rebalanceTimeoutMs)
      return
    }
    group.nextGeneration(this.#services.clock.now())
    if (group.members.size === 0) {
      this.#services.onEmpty(group)
      // A failed write leaves the generation before in the log, whose members time out: safe, so nobody is told.
      this.#services.persist(group, new Map()).catch(() => undefined)
      return
    }
    // Who leads is told of all; what they answer must not see a group that is already further.
    const answers = [...group.members.values()].map((member) => ({ member, answer: joined(group, member) }))
    for (const { member, answer } of answers) {
      member.isNew = false
      group.pendingSyncs.add(member.memberId)
      answerJoin(member, answer)
      this.extendSession(group, member)
    }
    const { generation } = group
    group.syncTimer?.cancel()
    group.syncTimer = this.#services.timers.schedule(
      group.rebalanceTimeoutMs,
      () => this.#expireSyncs(group, generation),
      { keepAlive: false },
    )
    this.#services.onRebalanced(group)
  }

  /** Members that joined this generation but never synced are out. */
  #expireSyncs(group: ClassicGroup, generation: number): void {
    if (group.generation !== generation || group.pendingSyncs.size === 0) return
    if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return
    for (const memberId of [...group.pendingSyncs]) group.remove(memberId)
    this.#prepare(group)
  }

  #answerSyncs(group: ClassicGroup, answer: (member: GroupMember) => SyncResponse): void {
    for (const member of group.members.values()) {
      if (answerSync(member, answer(member))) this.extendSession(group, member)
    }
  }
}

/**
 * The answer to the join of `member` in the group's generation; only the leader is told of the others, which it need
 * not share anything among with `skipAssignment` (KIP-814).
 */
export const joined = (
  group: ClassicGroup,
  member: GroupMember,
  skipAssignment = false,
): ResponseOf<typeof joinGroup> => ({
  throttleTimeMs: 0,
  errorCode: 0,
  generationId: group.generation,
  protocolType: group.protocolType,
  protocolName: group.protocolName,
  leader: group.leaderId ?? '',
  skipAssignment,
  memberId: member.memberId,
  members:
    group.leaderId === member.memberId
      ? [...group.members.values()].map((other) => ({
          memberId: other.memberId,
          groupInstanceId: other.groupInstanceId,
          metadata: other.metadataFor(group.protocolName),
        }))
      : [],
})

/** Answers the join of a member that waits for the others. */
export const answerJoin = (member: GroupMember, response: ResponseOf<typeof joinGroup>): void => {
  const answer = member.awaitingJoin
  member.awaitingJoin = undefined
  answer?.(response)
}

const answerSync = (member: GroupMember, response: SyncResponse): boolean => {
  const answer = member.awaitingSync
  member.awaitingSync = undefined
  answer?.(response)
  return answer !== undefined
}

const emptyAssignment = (protocolType: string | null): Uint8Array =>
  protocolType === CONSUMER_PROTOCOL_TYPE
    ? encodeAssignment({ assignedPartitions: [], userData: null })
    : NO_BYTES

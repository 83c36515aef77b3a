/**
 * What members of classic groups ask for: joining.ts lets them in, rebalancer.ts moves their group between
 * generations, and here they sync, tell that they live, and leave.
 *
 * Kafka leaves it to the leader to notice new partitions; here the coordinator starts the rebalance as well.
 */
import type { heartbeat } from '../../../protocol/api/heartbeat.js'
import type { joinGroup } from '../../../protocol/api/join-group.js'
import type { leaveGroup } from '../../../protocol/api/leave-group.js'
import type { syncGroup } from '../../../protocol/api/sync-group.js'
import type { RequestOf } from '../../../protocol/schema.js'
import type { ErrorCode } from '../../../runtime/errors/error-table.js'
import type { GroupCoordinatorServices } from '../group-coordinator.js'
import type { OffsetsPartition } from '../offsets-partition.js'
import type { OffsetsPartitions } from '../offsets-partitions.js'
import type { RequestContext } from '../../request-context.js'
import type { ClassicGroup } from './classic-group.js'
import type { GroupMember } from './group-member.js'
import { syncError, type JoinResponse, type SyncResponse } from './group-responses.js'
import { Joining } from './joining.js'
import { memberError, strangerError } from './membership.js'
import { Rebalancer } from './rebalancer.js'

/** Coordinates classic groups. */
export class ClassicCoordinator {
  readonly #rebalancer: Rebalancer
  readonly #joining: Joining

  constructor(
    { clock, timers, random, configs, events }: GroupCoordinatorServices,
    partitions: OffsetsPartitions,
  ) {
    this.#rebalancer = new Rebalancer({
      clock,
      timers,
      initialDelayMs: configs['group.initial.rebalance.delay.ms'],
      persist: async (group, assignments) => {
        const partition = await partitions.of(group.groupId)
        await partition.writeGroup(group, assignments)
      },
      onRebalanced: ({ groupId, generation, members }) =>
        events.emit('groupRebalanced', { groupId, generation, members: [...members.keys()] }),
      onEmpty: ({ groupId }) => events.emit('groupEmpty', { groupId }),
    })
    this.#joining = new Joining({ random, configs, rebalancer: this.#rebalancer })
  }

  /** JoinGroup: answered when all members have joined, or at once with an error. */
  join(
    partition: OffsetsPartition,
    request: RequestOf<typeof joinGroup>,
    context: RequestContext,
  ): JoinResponse | Promise<JoinResponse> {
    return this.#joining.join(partition, request, context)
  }

  /** SyncGroup: answered when the leader's assignment is durable (G4), or at once with an error. */
  async sync(group: ClassicGroup | undefined, request: RequestOf<typeof syncGroup>): Promise<SyncResponse> {
    const { memberId } = request
    const refusal = memberError(group, memberId, request.generationId, request.groupInstanceId)
    const member = group?.members.get(memberId)
    if (refusal !== undefined || group === undefined || member === undefined) {
      return syncError(refusal ?? 'UNKNOWN_MEMBER_ID')
    }
    const isOtherType = request.protocolType !== null && request.protocolType !== group.protocolType
    const isOtherName = request.protocolName !== null && request.protocolName !== group.protocolName
    if (isOtherType || isOtherName) return syncError('INCONSISTENT_GROUP_PROTOCOL')
    if (group.state === 'PreparingRebalance') return syncError('REBALANCE_IN_PROGRESS')
    group.pendingSyncs.delete(memberId)
    if (group.pendingSyncs.size === 0) group.syncTimer?.cancel()
    const { protocolType, protocolName } = group
    if (group.state === 'Stable') {
      return { throttleTimeMs: 0, errorCode: 0, protocolType, protocolName, assignment: member.assignment }
    }
    // A client that asks again has given up on its first request.
    member.awaitingSync?.(syncError('REBALANCE_IN_PROGRESS'))
    const answer = new Promise<SyncResponse>((resolve) => (member.awaitingSync = resolve))
    if (group.leaderId === memberId) {
      const assignments = new Map(request.assignments.map((given) => [given.memberId, given.assignment]))
      await this.#rebalancer.assign(group, assignments)
    }
    return answer
  }

  /** Heartbeat: undefined when all is well, otherwise what is wrong. */
  heartbeat(group: ClassicGroup | undefined, request: RequestOf<typeof heartbeat>): ErrorCode | undefined {
    const { memberId } = request
    const refusal = memberError(group, memberId, request.generationId, request.groupInstanceId)
    const member = group?.members.get(memberId)
    if (refusal !== undefined || group === undefined || member === undefined) {
      return refusal ?? 'UNKNOWN_MEMBER_ID'
    }
    this.#rebalancer.extendSession(group, member)
    return group.state === 'PreparingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined
  }

  /** LeaveGroup: for each of `members` undefined when it left, otherwise what is wrong. */
  leave(
    group: ClassicGroup | undefined,
    members: RequestOf<typeof leaveGroup>['members'],
  ): readonly (ErrorCode | undefined)[] {
    if (group === undefined) return members.map(() => 'UNKNOWN_MEMBER_ID')
    const leaving: GroupMember[] = []
    const results = members.map(({ memberId, groupInstanceId }): ErrorCode | undefined => {
      if (group.pendingMembers.has(memberId)) {
        group.remove(memberId)
        return undefined
      }
      // An administrator knows static members by their instance id alone.
      const isByInstance = memberId === '' && groupInstanceId !== null
      const id = isByInstance ? (group.staticMembers.get(groupInstanceId) ?? '') : memberId
      const refusal = strangerError(group, id, groupInstanceId)
      const member = group.members.get(id)
      if (refusal !== undefined) return refusal
      if (member === undefined || leaving.includes(member)) return 'UNKNOWN_MEMBER_ID'
      leaving.push(member)
      return undefined
    })
    if (results.includes(undefined)) this.#rebalancer.removeMembers(group, leaving)
    return results
  }

  /** A member lives: its session begins anew. */
  extendSession(group: ClassicGroup, memberId: string): void {
    const member = group.members.get(memberId)
    if (member !== undefined) this.#rebalancer.extendSession(group, member)
  }

  /** A topic has come, has more partitions, or is gone. */
  rebalanceSubscribers(group: ClassicGroup, topic: string): void {
    const isUnderWay = group.state === 'Stable' || group.state === 'CompletingRebalance'
    if (isUnderWay && group.subscribedTopics?.has(topic) === true) this.#rebalancer.rebalance(group)
  }

  /** A group that was just loaded goes on: members have their sessions, those who are left take over. */
  resume(partition: OffsetsPartition, group: ClassicGroup): void {
    for (const member of group.members.values()) this.#rebalancer.extendSession(group, member)
    if (!partition.diminished.has(group)) return
    if (group.members.size > 0) this.#rebalancer.rebalance(group)
    // Since when it has no members decides how long its offsets are kept; what is not written now is found again.
    else partition.writeGroup(group, new Map()).catch(() => undefined)
  }

  /** Goes on with the members of a group that was a consumer group; with a rebalance when they have to share anew. */
  adopt(group: ClassicGroup, isToRebalance: boolean): void {
    for (const member of group.members.values()) this.#rebalancer.extendSession(group, member)
    if (isToRebalance) this.#rebalancer.rebalance(group)
  }

  /** Leaves a group that becomes a consumer group: its members are to join again. */
  abandon(group: ClassicGroup): void {
    this.#rebalancer.release(group, 'REBALANCE_IN_PROGRESS')
  }

  /** Ends every wait of the group's members. */
  unload(group: ClassicGroup): void {
    this.#rebalancer.unload(group)
  }
}

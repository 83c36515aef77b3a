/**
 * Makes changes of consumer groups durable, and sees to what follows from them: who is waited for, who is told, and
 * that a group becomes a classic one when only members of that protocol are left.
 */
import { Access, ANONYMOUS } from '../../authorizer/access.js'
import type { RequestContext } from '../../request-context.js'
import type { ClassicGroup } from '../classic/classic-group.js'
import { groupValue } from '../classic/classic-records.js'
import type { GroupCoordinatorServices } from '../group-coordinator.js'
import { groupKey } from '../group-records.js'
import type { OffsetsPartition } from '../offsets-partition.js'
import { removeMembers } from './consumer-changes.js'
import type { ConsumerGroup } from './consumer-group.js'
import type { ConsumerMember } from './consumer-member.js'
import { recordsOfChange } from './consumer-records.js'
import { ConsumerState } from './consumer-state.js'
import type { ChangeWorld } from './heartbeat.js'
import type { TimerKind } from './member-timers.js'
import { classicGroupOf } from './migration.js'

/** What changes of consumer groups need. */
export interface GroupChangesServices extends GroupCoordinatorServices {
  /** A classic group has become a consumer group; whoever waits in it is to come again. */
  onUpgraded(group: ClassicGroup): void
  /** A group has become a classic one, which goes on; with a rebalance when its members have to share anew. */
  onDowngraded(group: ClassicGroup, isToRebalance: boolean): void
}

/** Makes changes of consumer groups durable. */
export class GroupChanges {
  readonly #services: GroupChangesServices

  constructor(services: GroupChangesServices) {
    this.#services = services
  }

  /** What a change needs to know of the world, on behalf of who asks for it. */
  world(
    group: ConsumerGroup,
    { authorizer, principal = ANONYMOUS, clientHost }: RequestContext,
  ): ChangeWorld {
    const { configs, metadata, clock } = this.#services
    const access =
      authorizer &&
      new Access({ metadata, configs }, authorizer, { principal, host: clientHost.replace('/', '') })
    return {
      topics: metadata,
      now: clock.now(),
      assignors: configs['group.consumer.assignors'],
      assignmentIntervalMs: configs['group.consumer.assignment.interval.ms'],
      isMetadataExpired: group.isMetadataExpired,
      isVisible: (topic) => access?.may('DESCRIBE', 'TOPIC', topic) ?? true,
    }
  }

  /** `draft` takes the place of what was there when the log has it. */
  async commit(partition: OffsetsPartition, group: ConsumerGroup, draft: ConsumerState): Promise<void> {
    const before = group.durable
    const { replaced, groupId } = group
    const records =
      replaced === undefined
        ? recordsOfChange(groupId, before, draft)
        : [...replaced.tombstones(), ...recordsOfChange(groupId, new ConsumerState(), draft)]
    if (records.length > 0) await partition.write(records)
    group.replaced = undefined
    group.durable = draft
    for (const memberId of before.members.keys()) {
      if (!draft.members.has(memberId)) group.timers.cancelMember(memberId)
    }
    const { events } = this.#services
    if (draft.assignmentEpoch !== before.assignmentEpoch) {
      const members = [...draft.members.keys()]
      events.emit('groupRebalanced', { groupId, generation: draft.assignmentEpoch, members })
    }
    if (before.members.size > 0 && draft.members.size === 0) events.emit('groupEmpty', { groupId })
  }

  /** Takes members out of the group, whatever they have; to be called within its line of changes. */
  async remove(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    memberIds: readonly string[],
  ): Promise<void> {
    const present = memberIds.filter((memberId) => group.durable.members.has(memberId))
    if (present.length === 0) return
    const draft = new ConsumerState(group.durable)
    removeMembers(draft, present, this.#services.metadata)
    if (draft.members.size > 0 && this.mayDowngrade(draft))
      await this.downgrade(partition, group, draft, true)
    else await this.commit(partition, group, draft)
  }

  /** Whether all members speak the classic protocol, and the group may follow them. */
  mayDowngrade({ members }: ConsumerState): boolean {
    const { configs } = this.#services
    const policy = configs['group.consumer.migration.policy']
    if (policy !== 'bidirectional' && policy !== 'downgrade') return false
    if (members.size > configs['group.max.size']) return false
    return [...members.values()].every(({ subscription }) => subscription.classic !== null)
  }

  /** The group goes on as a classic one, with the members of `draft`. */
  async downgrade(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    draft: ConsumerState,
    isToRebalance: boolean,
  ): Promise<void> {
    const { metadata, clock } = this.#services
    const classic = classicGroupOf(group, draft, metadata, clock.now())
    const assignments = new Map(
      [...classic.members].map(([memberId, { assignment }]) => [memberId, assignment]),
    )
    await partition.write([
      ...group.tombstones(),
      { key: groupKey(group.groupId), value: groupValue(classic, assignments) },
    ])
    group.unload()
    partition.add(classic)
    this.#services.onDowngraded(classic, isToRebalance)
  }

  /** Waits anew for the next sign of life of a member. */
  extendSession(partition: OffsetsPartition, group: ConsumerGroup, memberId: string): void {
    const { classic = null } = group.durable.members.get(memberId)?.subscription ?? {}
    const timeoutMs = classic?.sessionTimeoutMs ?? this.#services.configs['group.consumer.session.timeout.ms']
    this.removeAfter(partition, group, memberId, 'session', timeoutMs)
  }

  /** Waits for what a member is to give up, as long as it may take to do so. */
  awaitRevocation(partition: OffsetsPartition, group: ConsumerGroup, member: ConsumerMember): void {
    const { memberId, current, subscription } = member
    // Members of the classic protocol give up by joining, which is waited for in its own way.
    if (subscription.classic !== null) return
    if (current.state !== 'UNREVOKED_PARTITIONS') group.timers.cancel(memberId, 'rebalance')
    else this.removeAfter(partition, group, memberId, 'rebalance', subscription.rebalanceTimeoutMs)
  }

  /** Takes a member out when it has not done for so long what is waited for. */
  removeAfter(
    partition: OffsetsPartition,
    group: ConsumerGroup,
    memberId: string,
    kind: TimerKind,
    timeoutMs: number,
  ): void {
    const timer = this.#services.timers.schedule(
      timeoutMs,
      () => {
        group
          .exclusive(async () => {
            // A change that was in the line before this one may have been what was waited for.
            if (group.timers.isCurrent(memberId, kind, timer)) await this.remove(partition, group, [memberId])
          })
          .catch(() => {
            // What cannot be written now is tried again after as long.
            if (!group.isDead) this.removeAfter(partition, group, memberId, kind, timeoutMs)
          })
      },
      { keepAlive: false },
    )
    group.timers.set(memberId, kind, timer)
  }
}

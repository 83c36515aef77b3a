/**
 * A group of the classic protocol as data: members, generation, protocol, and the rules that need nothing else. What
 * moves it from state to state is rebalancer.ts.
 */
import { decodeSubscription } from '../../../protocol/consumer-protocol.js'
import type { ScheduledTimer } from '../../../runtime/clock.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import type { CommittedOffset } from '../committed-offsets.js'
import type { CoordinatorRecord } from '../coordinator-record.js'
import { CONSUMER_PROTOCOL_TYPE, Group, type CommitAttempt } from '../group.js'
import { groupKey } from '../group-records.js'
import type { GroupMember, MemberProtocol } from './group-member.js'
import { commitError, transactionalCommitError } from './membership.js'

/** Kafka's states of a classic group. */
export type ClassicGroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead'

const CAME_FROM: Readonly<Record<ClassicGroupState, readonly ClassicGroupState[]>> = {
  Empty: ['PreparingRebalance'],
  PreparingRebalance: ['Empty', 'CompletingRebalance', 'Stable'],
  CompletingRebalance: ['PreparingRebalance'],
  Stable: ['CompletingRebalance'],
  Dead: ['Empty', 'PreparingRebalance', 'CompletingRebalance', 'Stable', 'Dead'],
}

/** A group of the classic protocol. */
export class ClassicGroup extends Group {
  readonly type = 'classic'
  readonly members = new Map<string, GroupMember>()
  /** The ids of static members by their group.instance.id (KIP-345). */
  readonly staticMembers = new Map<string, string>()
  /** Members that were given an id and have not joined with it yet, with what forgets them. */
  readonly pendingMembers = new Map<string, ScheduledTimer>()
  /** Members of this generation whose sync is still to come. */
  readonly pendingSyncs = new Set<string>()
  generation = 0
  protocolType: string | null = null
  protocolName: string | null = null
  leaderId: string | null = null
  /** The topics that its members subscribe to; undefined when the broker cannot read their metadata. */
  subscribedTopics: ReadonlySet<string> | undefined
  /** When the state changed last, in milliseconds since the epoch; -1 when it never did. */
  stateTimestamp = -1
  /** Whether a member came while the first rebalance is being delayed. */
  memberAddedDuringDelay = false
  /** Ends the phase in which members join. */
  joinTimer: ScheduledTimer | undefined
  /** Ends the phase in which members sync. */
  syncTimer: ScheduledTimer | undefined
  #state: ClassicGroupState = 'Empty'
  #previousState: ClassicGroupState = 'Empty'

  get state(): ClassicGroupState {
    return this.#state
  }

  get isEmpty(): boolean {
    return this.#state === 'Empty' && this.pendingMembers.size === 0
  }

  get isUnused(): boolean {
    return this.generation === 0
  }

  get previousState(): ClassicGroupState {
    return this.#previousState
  }

  /** Changes the state. */
  transitionTo(state: ClassicGroupState, now: number): void {
    if (!CAME_FROM[state].includes(this.#state)) {
      throw new OttlaError(
        'INTERNAL_ERROR',
        `ClassicGroup ${this.groupId} cannot go from ${this.#state} to ${state}.`,
      )
    }
    this.#previousState = this.#state
    this.#state = state
    this.stateTimestamp = now
  }

  /** Takes over what a group metadata record tells: a group whose members had synced is stable. */
  restore(members: readonly GroupMember[], stateTimestamp: number): void {
    for (const member of members) this.#put(member)
    this.#state = members.length === 0 ? 'Empty' : 'Stable'
    this.#previousState = this.#state
    this.stateTimestamp = stateTimestamp
    this.subscribedTopics = this.computeSubscribedTopics()
  }

  /** Takes in a member that passed {@link supports}. The first one leads and fixes the protocol type. */
  add(member: GroupMember): void {
    if (this.members.size === 0) this.protocolType = member.protocolType
    this.leaderId ??= member.memberId
    this.#put(member)
    this.#forgetPending(member.memberId)
  }

  /** Lets a member, also a pending one, go; when it led, the next in order of joining leads. */
  remove(memberId: string): void {
    const { sessionTimer, groupInstanceId = null } = this.members.get(memberId) ?? {}
    sessionTimer?.cancel()
    this.members.delete(memberId)
    if (groupInstanceId !== null) this.staticMembers.delete(groupInstanceId)
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? null
    this.#forgetPending(memberId)
    this.pendingSyncs.delete(memberId)
  }

  /** Puts a static member in the place of the one that had its group.instance.id, whose assignment it takes over. */
  replace(old: GroupMember, member: GroupMember): void {
    const isLeader = this.leaderId === old.memberId
    const isToSync = this.pendingSyncs.has(old.memberId)
    this.remove(old.memberId)
    member.assignment = old.assignment
    this.#put(member)
    if (isLeader) this.leaderId = member.memberId
    if (isToSync) this.pendingSyncs.add(member.memberId)
  }

  /** How many members wait for the others to join. */
  get awaitingJoinCount(): number {
    let count = 0
    for (const member of this.members.values()) if (member.awaitingJoin !== undefined) count++
    return count
  }

  /** Whether nobody is missing: every member has joined, and whoever was given an id has used it. */
  get hasAllMembersJoined(): boolean {
    return this.pendingMembers.size === 0 && this.awaitingJoinCount === this.members.size
  }

  /** The longest rebalance timeout of its members: what every rebalance may take, in milliseconds. */
  get rebalanceTimeoutMs(): number {
    let longest = 0
    for (const { terms } of this.members.values()) longest = Math.max(longest, terms.rebalanceTimeoutMs)
    return longest
  }

  /** Whether someone with these protocols can be a member: one of them must be known to all other members. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (this.#state === 'Empty') return protocolType !== '' && protocols.length > 0
    if (this.protocolType !== protocolType) return false
    // All have left in the middle of a rebalance, and one who was given an id is still to come: nobody objects.
    if (this.members.size === 0) return protocols.length > 0
    const candidates = this.#candidates()
    return protocols.some(({ name }) => candidates.has(name))
  }

  /** Makes sure that one who joined leads; false when none of the members did. */
  electJoinedLeader(): boolean {
    const leader = this.leaderId === null ? undefined : this.members.get(this.leaderId)
    if (leader === undefined) return false
    if (leader.awaitingJoin !== undefined) return true
    for (const member of this.members.values()) {
      if (member.awaitingJoin === undefined) continue
      this.leaderId = member.memberId
      return true
    }
    return false
  }

  /** The next generation begins with the members that are there. */
  nextGeneration(now: number): void {
    this.generation++
    this.protocolName = this.members.size === 0 ? null : this.selectProtocol()
    this.subscribedTopics = this.computeSubscribedTopics()
    this.pendingSyncs.clear()
    this.transitionTo(this.members.size === 0 ? 'Empty' : 'CompletingRebalance', now)
  }

  /** The topics in its members' subscriptions; undefined when one of them cannot be read. */
  computeSubscribedTopics(): ReadonlySet<string> | undefined {
    if (this.protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined
    const topics = new Set<string>()
    try {
      for (const member of this.members.values()) {
        for (const topic of decodeSubscription(member.metadataFor(this.protocolName)).topics)
          topics.add(topic)
      }
    } catch {
      // Metadata that is not Kafka's consumer protocol concerns only the members.
      return undefined
    }
    return topics
  }

  /** Whether its members subscribe to `topic`; consumers whose metadata cannot be read may subscribe to any. */
  subscribesTo(topic: string): boolean {
    if (this.subscribedTopics !== undefined) return this.subscribedTopics.has(topic)
    return this.members.size > 0 && this.protocolType === CONSUMER_PROTOCOL_TYPE
  }

  expiryBase(): ((committed: CommittedOffset) => number) | undefined {
    const sinceCommit = ({ commitTimestamp }: CommittedOffset): number => commitTimestamp
    const { protocolType, stateTimestamp } = this
    // Without a protocol nobody is a member: the group is a place for offsets and no more.
    if (protocolType === null) return sinceCommit
    if (this.#state === 'Empty') return stateTimestamp < 0 ? sinceCommit : () => stateTimestamp
    const isKnown = protocolType === CONSUMER_PROTOCOL_TYPE && this.subscribedTopics !== undefined
    return this.#state === 'Stable' && isKnown ? sinceCommit : undefined
  }

  checkCommit(attempt: CommitAttempt): void {
    const { memberId, generation, groupInstanceId } = attempt
    const check = attempt.isTransactional ? transactionalCommitError : commitError
    const refusal = check(this, memberId, generation, groupInstanceId)
    if (refusal === undefined) return
    throw new OttlaError(
      refusal,
      `Member ${memberId} may not commit in generation ${generation}: group ${this.groupId} is ${this.#state} in generation ${this.generation}.`,
    )
  }

  /** Anybody may know what a classic group has committed. */
  checkFetch(): void {
    return
  }

  tombstones(): CoordinatorRecord[] {
    return [{ key: groupKey(this.groupId), value: null }]
  }

  forgetPendingMembers(): void {
    for (const memberId of [...this.pendingMembers.keys()]) this.remove(memberId)
  }

  /** Every member votes for the first of its protocols that all support; the most votes win. */
  selectProtocol(): string | null {
    const candidates = this.#candidates()
    const votes = new Map<string, number>()
    for (const member of this.members.values()) {
      const name = member.vote(candidates)
      if (name !== undefined) votes.set(name, (votes.get(name) ?? 0) + 1)
    }
    let winner: string | null = null
    for (const [name, count] of votes) {
      if (winner === null || count > (votes.get(winner) ?? 0)) winner = name
    }
    return winner
  }

  #put(member: GroupMember): void {
    this.members.set(member.memberId, member)
    if (member.groupInstanceId !== null) this.staticMembers.set(member.groupInstanceId, member.memberId)
  }

  #forgetPending(memberId: string): void {
    this.pendingMembers.get(memberId)?.cancel()
    this.pendingMembers.delete(memberId)
  }

  /** The protocols that all members support. */
  #candidates(): ReadonlySet<string> {
    const counts = new Map<string, number>()
    for (const { terms } of this.members.values()) {
      for (const name of new Set(terms.protocols.map((protocol) => protocol.name))) {
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
    }
    return new Set([...counts].flatMap(([name, count]) => (count === this.members.size ? [name] : [])))
  }
}

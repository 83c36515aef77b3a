/**
 * A member of a classic consumer group: joins, lets the leader share the partitions, keeps its place with heartbeats,
 * and joins again whenever the group rebalances: eagerly, when everything is given up before, or cooperatively, when
 * it goes on with what it has and gives up only what is to move (KIP-429). What it owns is the listener's to consume.
 */
import { abortable, deferred, type Deferred } from '../../runtime/abort.js'
import { errorFromKafkaCode, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { partitionName, type TopicPartition } from '../message.js'
import { backoffMs, isStorageDown } from '../retry.js'
import { rebalanceProtocolOf, type LastAssignment, type RebalanceProtocol } from './assignor.js'
import { Leader } from './leader.js'
import { REJOIN_CODES } from './membership-over.js'
import type { MembershipListener, MembershipOptions } from './membership-listener.js'
import { commitOffsets, noteCoordinatorError, refused, type OffsetToCommit } from './group-offsets.js'
import {
  assignmentOf,
  sendJoin,
  sendLeave,
  sendSync,
  type Holding,
  type MemberOfGeneration,
} from './group-requests.js'
import { Heartbeats } from './heartbeats.js'
import { Stay } from './stay.js'

/** How often joining again is tried without a pause. */
const HASTY_ATTEMPTS = 3

/** One member. */
export class Membership {
  readonly #context: ClientContext
  readonly #options: MembershipOptions
  readonly #listener: MembershipListener
  readonly #heartbeats: Heartbeats
  readonly #leader: Leader
  readonly #protocol: RebalanceProtocol
  readonly #stopping = new AbortController()
  readonly #firstAssignment = deferred<undefined>()
  #memberId = ''
  /** The generation in which requests are made; -1 between two. */
  #generation = -1
  #assignment: readonly TopicPartition[] = []
  /** What the assignors may go by, also when it is given up or lost. */
  #last: LastAssignment = { partitions: [], generation: -1 }
  /** The last generation that was joined, with or without an assignment; -1 when the membership has ended since. */
  #joinedGeneration = -1
  /** The generation of the assignment; -1 when it is void. */
  #assignedGeneration = -1
  #isContinuous = false
  #stay = new Stay()
  #returned: Deferred<undefined> = deferred()
  #running: Promise<void> | undefined

  constructor(context: ClientContext, options: MembershipOptions, listener: MembershipListener) {
    this.#context = context
    this.#options = options
    this.#listener = listener
    this.#protocol = rebalanceProtocolOf(options.partitionAssigners) ?? 'eager'
    this.#leader = new Leader(context, options, this.#protocol)
    this.#firstAssignment.promise.catch(() => undefined)
    this.#heartbeats = new Heartbeats(context, options.heartbeatIntervalMs, {
      alive: () => this.#leader.look(this.#stopping.signal, this.#stay),
      answered: (sentAt) => this.#listener.heartbeat(sentAt),
      refused: (error) => this.#refused(error),
    })
  }

  /** The id that the coordinator gave; empty while it has given none. */
  get memberId(): string {
    return this.#memberId
  }

  /** The generation of the assignment; -1 before the first. */
  get generation(): number {
    return this.#generation
  }

  /** Whether it goes on with its partitions during a rebalance. */
  get isCooperative(): boolean {
    return this.#protocol === 'cooperative'
  }

  /** What is ours now. */
  get assignment(): readonly TopicPartition[] {
    return this.#assignment
  }

  /** Joins, and resolves when the first partitions are assigned; from then on it looks after itself. */
  async join(signal?: AbortSignal): Promise<void> {
    this.#running ??= this.#run()
    await abortable(this.#firstAssignment.promise, signal)
  }

  /**
   * Leaves for good. Whether the coordinator heard of it or not, this resolves; then the session runs out. A static
   * member leaves without a word: its place is kept until its session runs out, in case it comes back.
   */
  async leave(reason: string, signal?: AbortSignal): Promise<void> {
    const stopped = new OttlaError(
      'RESOURCE_CLOSED',
      `The member of group ${this.#options.groupId} has left.`,
    )
    this.#stopping.abort(stopped)
    this.#heartbeats.stop()
    this.#firstAssignment.reject(stopped)
    await this.#running
    await this.#sendLeave(reason, signal)
  }

  /** Leaves until {@link comeBack}: the application has stopped asking for records, and others may do better. */
  stayAway(): void {
    // Made before anything waits for it: the application may ask again at once.
    if (this.#stay.departure !== 'away') this.#returned = deferred()
    this.#stay.depart('away')
  }

  /** Joins again after {@link stayAway}. */
  comeBack(): void {
    this.#returned.resolve(undefined)
  }

  /**
   * Commits as this member of this generation (G2), or of `generation` and no other.
   * @throws OttlaError UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION or REBALANCE_IN_PROGRESS when that is over; the member
   * joins again by itself. FENCED_INSTANCE_ID when another has taken its place, which ends the membership.
   */
  async commit(offsets: readonly OffsetToCommit[], signal?: AbortSignal, generation?: number): Promise<void> {
    const { groupId, backoff } = this.#options
    let stay = this.#stay
    const identity = () => {
      const member = this.assertMember(generation)
      stay = this.#stay
      return member
    }
    identity()
    try {
      await commitOffsets(this.#context, identity, offsets, { signal, backoff })
    } catch (error) {
      if (OttlaError.is(error, 'REBALANCE_IN_PROGRESS')) stay.depart('rebalance')
      else if (OttlaError.is(error, 'FENCED_INSTANCE_ID')) stay.fail(error)
      else if (OttlaError.is(error) && REJOIN_CODES.has(error.code)) {
        stay.depart('expelled')
        throw new OttlaError(
          error.code,
          `The commit was refused: group ${groupId} has rebalanced, and the partitions may belong to another member. What was not committed will be delivered again.`,
          { cause: error, details: { groupId } },
        )
      }
      throw error
    }
  }

  /** Who it is in the present generation.
   * @throws OttlaError REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID between two.
   */
  assertMember(generation = this.#generation): MemberOfGeneration {
    const { groupId, groupInstanceId = null } = this.#options
    // Without an id it would pass for a commit of nobody in particular, which an empty group accepts.
    if (this.#memberId === '' || generation < 0 || generation !== this.#generation) {
      throw new OttlaError(
        'REBALANCE_IN_PROGRESS',
        `Group ${groupId} is rebalancing, and the consumer owns no partitions at the moment.`,
        { details: { groupId } },
      )
    }
    return { groupId, memberId: this.#memberId, generation: this.#generation, groupInstanceId }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    try {
      for (let reason = 'the member is new'; ; reason = 'the group rebalances') {
        const partitions = await this.#enter(reason)
        const stay = this.#stay
        const withdrawn = this.#withdrawnBy(partitions)
        if (withdrawn.length > 0) await this.#giveUp(withdrawn, stay)
        this.#assignment = partitions
        // What was given up can be shared only now.
        if (withdrawn.length > 0) stay.depart('rebalance')
        const begun = this.#listener.assigned(partitions, this.#isContinuous).then(() => true)
        // Where to begin may be hard to find out, and all members wait for the one that does not join again.
        const hasBegun = await abortable(Promise.race([begun, stay.ended]), signal)
        if (hasBegun === true) this.#firstAssignment.resolve(undefined)
        await abortable(stay.ended, signal)
        if (stay.departure === 'rebalance') await this.#prepareToRejoin(stay)
        if (stay.departure !== 'rebalance') this.#losePartitions()
        if (stay.departure === 'away') await this.#beAway()
      }
    } catch (error) {
      this.#heartbeats.stop()
      if (signal.aborted) return
      this.#losePartitions()
      this.#listener.failed(error)
      this.#firstAssignment.reject(error)
    }
  }

  /** Joins until there is an assignment. */
  async #enter(reason: string): Promise<readonly TopicPartition[]> {
    const { signal } = this.#stopping
    const { backoff, groupId } = this.#options
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted()
      try {
        return await this.#tryToEnter(reason)
      } catch (error) {
        signal.throwIfAborted()
        this.#heartbeats.stop()
        noteCoordinatorError(this.#context, groupId, error)
        if (!OttlaError.is(error)) throw error
        const isRejoin = REJOIN_CODES.has(error.code)
        if (!isRejoin && (!error.retriable || isStorageDown(error, attempt + 1))) throw error
        if (error.code === 'UNKNOWN_MEMBER_ID') this.#forgetMember()
        // Whoever is no member any more has nothing to go on with.
        if (isRejoin && error.code !== 'REBALANCE_IN_PROGRESS' && this.isCooperative) this.#losePartitions()
        if (!isRejoin || attempt >= HASTY_ATTEMPTS) {
          await this.#context.timers.sleep(backoffMs(backoff, attempt, this.#context.random), signal)
        }
      }
    }
  }

  async #tryToEnter(reason: string): Promise<readonly TopicPartition[]> {
    const { cluster } = this.#context
    const { signal } = this.#stopping
    const { groupId, groupInstanceId = null } = this.#options
    this.#heartbeats.stop()
    const channel = await cluster.coordinator(groupId, { signal })
    let joined = await sendJoin(channel, this.#options, this.#holding(), reason, signal)
    if (errorFromKafkaCode(joined.errorCode).code === 'MEMBER_ID_REQUIRED') {
      this.#memberId = joined.memberId
      joined = await sendJoin(channel, this.#options, this.#holding(), reason, signal)
    }
    if (joined.errorCode !== 0) throw refused(groupId, 'let a member join', joined.errorCode)

    // Only if no generation lies between can nobody else have had the partitions.
    this.#isContinuous =
      joined.memberId === this.#memberId &&
      this.#assignedGeneration >= 0 &&
      joined.generationId === this.#assignedGeneration + 1
    const isSame = joined.memberId === this.#memberId && this.#joinedGeneration >= 0
    const hasMissedNone = isSame && joined.generationId <= this.#joinedGeneration + 1
    if (this.isCooperative && !hasMissedNone) this.#losePartitions()
    this.#memberId = joined.memberId
    this.#joinedGeneration = joined.generationId
    const hasLeftMeanwhile = this.#stay.departure === 'away'
    this.#stay = new Stay()
    if (hasLeftMeanwhile) this.#stay.depart('away')
    const { memberId, generationId: generation } = joined
    const member = { groupId, memberId, generation, groupInstanceId }
    // The leader may take a while to share, and its session goes on meanwhile.
    this.#heartbeats.start(member)
    this.#generation = -1
    const isLeader = joined.leader === joined.memberId
    const assignments = isLeader
      ? await this.#leader.share(joined, signal)
      : new Map<string, readonly TopicPartition[]>()
    if (!isLeader) this.#leader.retire()
    const synced = await sendSync(channel, member, joined.protocolName, assignments, signal)
    if (synced.errorCode !== 0) throw refused(groupId, 'give a member its partitions', synced.errorCode)
    this.#generation = joined.generationId
    this.#assignedGeneration = joined.generationId
    const partitions = assignmentOf(synced)
    this.#last = { partitions, generation: joined.generationId }
    if (this.isCooperative) this.#isContinuous = true
    return partitions
  }

  /** Eagerly everything was given up before. */
  #holding(): Holding {
    const owned = this.isCooperative ? this.#assignment : []
    return { memberId: this.#memberId, owned, generation: this.#joinedGeneration, last: this.#last }
  }

  /** What of ours the new assignment takes away; eagerly there is nothing left to take. */
  #withdrawnBy(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
    if (!this.isCooperative) return []
    const kept = new Set(partitions.map(partitionName))
    return this.#assignment.filter((partition) => !kept.has(partitionName(partition)))
  }

  async #prepareToRejoin(stay: Stay): Promise<void> {
    if (this.isCooperative) this.#listener.rejoining()
    else await this.#giveUp(this.#assignment, stay)
  }

  /** In good order: the turn under way may end, and what it did is committed. */
  async #giveUp(partitions: readonly TopicPartition[], stay: Stay): Promise<void> {
    const waiting = new AbortController()
    const { timers } = this.#context
    const isOver = timers.sleep(this.#options.rebalanceTimeoutMs, waiting.signal).catch(() => undefined)
    try {
      const done = this.#listener.revoked(partitions)
      await abortable(Promise.race([done, isOver, stay.cutShort]), this.#stopping.signal)
    } finally {
      waiting.abort()
    }
    if (!this.isCooperative) return
    const given = new Set(partitions.map(partitionName))
    this.#assignment = this.#assignment.filter((partition) => !given.has(partitionName(partition)))
  }

  #losePartitions(): void {
    const lost = this.#assignment
    this.#assignment = []
    this.#generation = -1
    this.#assignedGeneration = -1
    this.#joinedGeneration = -1
    if (lost.length > 0) this.#listener.lost(lost)
  }

  async #beAway(): Promise<void> {
    const { signal } = this.#stopping
    this.#heartbeats.stop()
    await this.#sendLeave('the consumer has stopped asking for records', signal)
    await abortable(this.#returned.promise, signal)
    this.#stay = new Stay()
  }

  async #sendLeave(reason: string, signal?: AbortSignal): Promise<void> {
    const memberId = this.#memberId
    if (memberId === '') return
    const { groupId, groupInstanceId } = this.#options
    this.#forgetMember()
    if (groupInstanceId !== undefined) return
    try {
      const channel = await this.#context.cluster.coordinator(groupId, { signal })
      await sendLeave(channel, groupId, memberId, reason, signal)
    } catch {
      // The session runs out instead, as it does for a member that dies.
    }
  }

  #forgetMember(): void {
    this.#memberId = ''
    this.#generation = -1
    this.#assignedGeneration = -1
    this.#joinedGeneration = -1
  }

  #refused(error: unknown): void {
    if (!OttlaError.is(error)) this.#stay.fail(error)
    else if (error.code === 'REBALANCE_IN_PROGRESS') this.#stay.depart('rebalance')
    else if (REJOIN_CODES.has(error.code)) this.#stay.depart('expelled')
    else if (!error.retriable) this.#stay.fail(error)
  }
}

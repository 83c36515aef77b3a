/**
 * Groups through a stretch of simulated time: members join, leave, stall and die at random while records are written,
 * in transactions or not. Throws as soon as a rule of the groups is broken, or at the end when a record is missing.
 */
import { Broker } from '../../../src/broker/broker.js'
import { cooperativeStickyAssignor } from '../../../src/clients/group/cooperative-sticky-assignor.js'
import { rangeAssignor } from '../../../src/clients/group/range-assignor.js'
import type { GroupConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import { MemoryStorage } from '../../../src/storage/memory/memory-storage.js'
import { SeededRandom } from '../../support/seeded-random.js'
import { VirtualClock } from '../virtual-clock.js'
import { Member, processContext, type World } from './member.js'
import { Owners } from './owners.js'
import { Tally } from './tally.js'
import { createTextTopic, Source, type TextTopic } from './topics.js'

/** What is simulated. */
export interface Simulation {
  readonly seed: number
  readonly minutes: number
  readonly groupCount: number
  /** How many members a group has, give or take two. */
  readonly memberCount: number
}

/** What came of it. */
export interface Outcome {
  readonly written: number
  readonly processed: number
  readonly repeated: number
  readonly joined: number
  readonly left: number
  readonly stalled: number
  readonly died: number
  /** How often a group was found settled, with an owner for every partition. */
  readonly checks: number
}

const TOPIC_COUNT = 5
const PARTITION_COUNT = 12
const HEARTBEAT_MS = 3000
const SESSION_MS = 10_000
const MAX_POLL_MS = 20_000
/** From when on a group may go on without a member whose turn lasts: others have told it to rebalance for that long. */
const PATIENCE_MS = MAX_POLL_MS - HEARTBEAT_MS
/** A turn after which the member has left for certain. */
const TOO_LONG_MS = 2 * MAX_POLL_MS
const STEP_MS = 250
/** Every so often something happens in a group. */
const EVENT_EVERY_MS = 90_000
/** A dead member is noticed when its session ends, and the others hear of it with their next heartbeats. */
const SETTLED_AFTER_DEATH_MS = SESSION_MS + 2 * HEARTBEAT_MS
/** A rebalance waits for a turn under way. */
const SETTLED_MS = SETTLED_AFTER_DEATH_MS + MAX_POLL_MS
/** By when everything has been read, after nobody comes and goes any more. */
const DRAINED_MS = 300_000

/** One group of the simulation. */
class SimulatedGroup {
  readonly owners: Owners
  readonly tally: Tally
  readonly members = new Set<Member>()
  readonly counts = { joined: 0, left: 0, stalled: 0, died: 0, checks: 0 }
  readonly #options: GroupConsumerOptions
  readonly #isStatic: boolean
  readonly #concurrency: number
  #nextName = 0

  constructor(
    private readonly world: World,
    readonly groupId: string,
    index: number,
    readonly sources: readonly Source[],
    readonly target: TextTopic | undefined,
  ) {
    this.#isStatic = index % 4 === 3
    // A producer has one transaction at a time.
    this.#concurrency = target === undefined && index % 2 === 0 ? 2 : 1
    const isReadCommitted = target !== undefined || index % 3 === 1
    this.#options = {
      sessionTimeoutMs: SESSION_MS,
      heartbeatIntervalMs: HEARTBEAT_MS,
      maxPollIntervalMs: MAX_POLL_MS,
      fetchMaxWaitMs: 5000,
      maxPollRecords: 20,
      enableAutoCommit: target === undefined,
      isolationLevel: isReadCommitted ? 'read_committed' : 'read_uncommitted',
      partitionAssigners: [index % 2 === 0 ? rangeAssignor : cooperativeStickyAssignor],
    }
    const topics = sources.map(({ topic }) => topic)
    this.owners = new Owners(
      groupId,
      topics.flatMap((topic) => topic.partitions()),
    )
    this.tally = new Tally({ groupId, sources, isReadCommitted, isExactlyOnce: target !== undefined })
  }

  get isDrained(): boolean {
    return this.target !== undefined || this.tally.size >= this.tally.expected
  }

  join(instanceId = this.#isStatic ? `instance-${this.#nextName}` : undefined): void {
    const { world, groupId, owners, target, tally } = this
    const topics = this.sources.map(({ topic }) => topic)
    const member = new Member(`${groupId}-${this.#nextName++}`, instanceId, world, {
      groupId,
      topics,
      options: this.#options,
      owners,
      target,
      concurrency: this.#concurrency,
      patienceMs: PATIENCE_MS,
      processed: (value) => tally.count(value),
    })
    this.members.add(member)
    this.counts.joined++
    this.#disturbed(SETTLED_MS)
  }

  /** Something happens: one comes, goes, takes its time, or dies, and may be replaced. */
  happen(random: SeededRandom, memberCount: number): void {
    const what = random.below(5)
    const present = [...this.members]
    const member = present.length === 0 ? undefined : random.oneOf(present)
    if (member === undefined || (what === 0 && present.length < memberCount + 2)) this.join()
    else if (what === 1 && present.length > Math.max(1, memberCount - 2)) this.#leave(member)
    else if (what === 2) this.#stall(member, random)
    else this.#die(member, random)
  }

  check(): void {
    if (this.owners.check(this.world.clock.now())) this.counts.checks++
  }

  #leave(member: Member): void {
    this.members.delete(member)
    void member.stop()
    this.counts.left++
    this.#disturbed(SETTLED_MS)
  }

  #stall(member: Member, random: SeededRandom): void {
    // With several loops one that takes its time is not noticed.
    const isTooLong = this.#concurrency === 1 && random.below(3) === 0
    const ms = isTooLong ? TOO_LONG_MS : random.below(PATIENCE_MS - HEARTBEAT_MS)
    member.stall(ms)
    this.counts.stalled++
    // It begins with the next turn, whenever that is.
    this.#disturbed(2 * SETTLED_MS + ms)
  }

  #die(member: Member, random: SeededRandom): void {
    this.members.delete(member)
    member.kill()
    this.counts.died++
    this.#disturbed(SETTLED_AFTER_DEATH_MS)
    if (member.instanceId !== undefined) this.join(member.instanceId)
    else if (random.below(2) === 0 || this.members.size === 0) this.join()
  }

  #disturbed(boundMs: number): void {
    this.owners.disturbed(this.world.clock.now(), boundMs)
  }
}

/** Runs it. */
export const simulate = async ({ seed, minutes, groupCount, memberCount }: Simulation): Promise<Outcome> => {
  const clock = new VirtualClock()
  const random = new SeededRandom(seed)
  const broker = await Broker.open({ storage: new MemoryStorage(), clock, random })
  let failure: { readonly error: unknown } | undefined
  const world: World = { broker, clock, random, fail: (error) => (failure ??= { error }) }
  const pass = async (ms: number): Promise<void> => {
    await clock.pass(ms)
    if (failure !== undefined) throw failure.error
  }
  const context = processContext(world, 'main')
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    let isOver = false
    const settle = (): void => void (isOver = true)
    promise.then(settle, settle)
    while (!isOver) await pass(10)
    return promise
  }
  const sources: Source[] = []
  for (let index = 0; index < TOPIC_COUNT; index++) {
    sources.push(
      new Source(await during(createTextTopic(context, `source-${index}`, PARTITION_COUNT)), context),
    )
  }
  const groups: SimulatedGroup[] = []
  for (let index = 0; index < groupCount; index++) {
    const groupId = `group-${index}`
    const target =
      index % 3 === 2 ? await during(createTextTopic(context, `target-${index}`, PARTITION_COUNT)) : undefined
    const read = [...new Set([random.oneOf(sources), random.oneOf(sources)])]
    const group = new SimulatedGroup(world, groupId, index, read, target)
    for (let member = 0; member < memberCount; member++) group.join()
    groups.push(group)
  }

  const end = clock.now() + minutes * 60_000
  while (clock.now() < end) {
    await pass(STEP_MS)
    for (const group of groups) {
      if (random.next() < STEP_MS / EVENT_EVERY_MS) group.happen(random, memberCount)
      group.check()
    }
    random
      .oneOf(sources)
      .write(random)
      .catch((error: unknown) => world.fail(error))
  }

  const drainedBy = clock.now() + DRAINED_MS
  await pass(2 * SETTLED_MS)
  while (groups.some(({ isDrained }) => !isDrained) && clock.now() < drainedBy) await pass(1000)
  for (const group of groups) {
    group.check()
    await during(Promise.all([...group.members].map((member) => member.stop())))
    if (group.target !== undefined) await during(readTarget(group))
    group.tally.check()
  }
  await during(Promise.all(sources.map((source) => source.close())))
  await during(broker.close())

  const total = (count: (group: SimulatedGroup) => number): number =>
    groups.reduce((sum, group) => sum + count(group), 0)
  return {
    written: sources.reduce((sum, { fates }) => sum + fates.size, 0),
    processed: total(({ tally }) => tally.size),
    repeated: total(({ tally }) => tally.repeatedCount),
    joined: total(({ counts }) => counts.joined),
    left: total(({ counts }) => counts.left),
    stalled: total(({ counts }) => counts.stalled),
    died: total(({ counts }) => counts.died),
    checks: total(({ counts }) => counts.checks),
  }
}

/** What a group wrote in transactions that were committed is all that it processed. */
const readTarget = async ({ target, tally }: SimulatedGroup): Promise<void> => {
  for (const partition of target?.partitions() ?? []) {
    const committed = partition.read({ to: 'latest', isolationLevel: 'read_committed' })
    for await (const { value } of committed) tally.count(value)
  }
}

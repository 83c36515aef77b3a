/**
 * The assignment that is as even as it can be and, among those, keeps what it can: every partition stays where it was,
 * those without an owner go to whoever has the fewest, and then partitions move from members that have too many to
 * those that have too few. What Kafka's AbstractStickyAssignor is for, found another way: an assignment is as even as
 * possible exactly when no chain of members leads from one to another that has two or more fewer, such that each may
 * hand a partition to the next.
 */
import { partitionName, type TopicPartition } from '../message.js'
import { compareIds, type Assignable } from './assignor.js'
import { groupPartitions } from './partitions-by-topic.js'

/** What a member claims to have had. */
export interface Claim {
  readonly partitions: readonly TopicPartition[]
  /** The later one of two claims to a partition counts; neither does when they are of the same generation. */
  readonly generation: number
}

/** A member while partitions are being shared. */
interface Sharer {
  readonly memberId: string
  readonly topics: ReadonlySet<string>
  /** Its partitions by topic: what it kept in front, what it got behind. */
  readonly byTopic: Map<string, number[]>
  /** What it had before and may keep, by topic. */
  readonly kept: ReadonlyMap<string, ReadonlySet<number>>
  load: number
  /** How many of its partitions it had not had before. */
  fresh: number
}

/** A member that may hand a partition of `topic` on to `to`. */
interface Link {
  readonly topic: string
  readonly to: Sharer
}

/** Shares all partitions that somebody subscribes to. */
export const stickyAssignment = (
  { members, partitionCounts }: Assignable,
  claims: ReadonlyMap<string, Claim>,
): Map<string, TopicPartition[]> => {
  const kept = keptPartitions({ members, partitionCounts }, claims)
  const sharers = [...members]
    .sort((a, b) => compareIds(a.memberId, b.memberId))
    .map(({ memberId, topics }): Sharer => {
      const own = kept.get(memberId) ?? []
      const sharer = {
        memberId,
        topics: new Set(topics),
        byTopic: new Map<string, number[]>(),
        kept: new Map(groupPartitions(own).map(({ topic, partitions }) => [topic, new Set(partitions)])),
        load: 0,
        fresh: 0,
      }
      for (const partition of own) give(sharer, partition)
      return sharer
    })
  const taken = namesOf(sharers.flatMap(partitionsOf))
  for (const { topic, count, subscribers } of topicsToShare(sharers, partitionCounts)) {
    for (let partition = 0; partition < count; partition++) {
      if (taken.has(partitionName({ topic, partition }))) continue
      give(leastLoaded(subscribers), { topic, partition })
    }
  }
  // What nobody had is moved first: nobody misses it.
  evenOut(sharers, false)
  evenOut(sharers, true)
  return new Map(sharers.map((sharer) => [sharer.memberId, partitionsOf(sharer)]))
}

/** Of what the members claim, what each may keep: it subscribes to it, it exists, and nobody has a better claim. */
const keptPartitions = (
  { members, partitionCounts }: Assignable,
  claims: ReadonlyMap<string, Claim>,
): ReadonlyMap<string, readonly TopicPartition[]> => {
  const best = new Map<string, { readonly generation: number; readonly memberId: string | undefined }>()
  for (const { memberId } of members) {
    const { partitions = [], generation = -1 } = claims.get(memberId) ?? {}
    for (const name of namesOf(partitions)) {
      const other = best.get(name)
      if (other === undefined || other.generation < generation) best.set(name, { generation, memberId })
      else if (other.generation === generation) best.set(name, { generation, memberId: undefined })
    }
  }
  return new Map(
    members.map(({ memberId, topics }) => {
      const own = (claims.get(memberId)?.partitions ?? []).filter(
        ({ topic, partition }) =>
          topics.includes(topic) &&
          partition < (partitionCounts.get(topic) ?? 0) &&
          best.get(partitionName({ topic, partition }))?.memberId === memberId,
      )
      return [memberId, [...new Map(own.map((partition) => [partitionName(partition), partition])).values()]]
    }),
  )
}

/** The topics that have subscribers, those with the fewest first: the others have more to choose from. */
const topicsToShare = (sharers: readonly Sharer[], partitionCounts: ReadonlyMap<string, number>) =>
  [...partitionCounts]
    .map(([topic, count]) => ({
      topic,
      count,
      subscribers: sharers.filter(({ topics }) => topics.has(topic)),
    }))
    .filter(({ subscribers }) => subscribers.length > 0)
    .sort((a, b) => a.subscribers.length - b.subscribers.length || compareIds(a.topic, b.topic))

/** Moves partitions, also those that were kept so far if `movesKept`, until no chain of members makes it more even. */
const evenOut = (sharers: readonly Sharer[], movesKept: boolean): void => {
  // Those for whom nothing could be done; others may have changed that since.
  const stuck = new Set<Sharer>()
  for (let hasMoved = false; ;) {
    // One at a time, or one would take what is to go to the next.
    const poor = leastLoaded(sharers.filter((sharer) => !stuck.has(sharer)))
    if (poor !== undefined) {
      if (takeFromRichest(sharers, poor, movesKept)) hasMoved = true
      else stuck.add(poor)
    } else if (hasMoved) {
      stuck.clear()
      hasMoved = false
    } else return
  }
}

/** Lets `poor` have one more, along the shortest chain from the one that has the most; false when that is no gain. */
const takeFromRichest = (sharers: readonly Sharer[], poor: Sharer, movesKept: boolean): boolean => {
  const most = sharers.reduce((load, sharer) => Math.max(load, sharer.load), 0)
  if (most < poor.load + 2) return false
  const givers = movesKept ? sharers : sharers.filter(({ fresh }) => fresh > 0)
  const links = new Map<Sharer, Link | undefined>([[poor, undefined]])
  let richest = poor
  // A Map goes on with what is added while it is walked through: breadth first.
  for (const to of links.keys()) {
    if (richest.load === most) break
    for (const from of givers) {
      if (links.has(from)) continue
      const topic = topicToHandOn(from, to, movesKept)
      if (topic === undefined) continue
      links.set(from, { topic, to })
      if (from.load > richest.load) richest = from
    }
  }
  if (richest.load < poor.load + 2) return false
  for (let from = richest, link = links.get(from); link !== undefined; link = links.get(from)) {
    handOn(from, link)
    from = link.to
  }
  return true
}

/** A topic of which `from` may hand a partition to `to`, if possible one that it had not had before. */
const topicToHandOn = (from: Sharer, to: Sharer, movesKept: boolean): string | undefined => {
  let found: string | undefined
  for (const [topic, partitions] of from.byTopic) {
    const partition = partitions.at(-1)
    if (partition === undefined || !to.topics.has(topic)) continue
    if (!had(from, topic, partition)) return topic
    if (movesKept) found ??= topic
  }
  return found
}

const handOn = (from: Sharer, { topic, to }: Link): void => {
  const partitions = from.byTopic.get(topic) ?? []
  // If possible back to who had it before.
  const back = partitions.findIndex((partition) => had(to, topic, partition))
  const [partition] = partitions.splice(back < 0 ? partitions.length - 1 : back, 1)
  if (partition === undefined) return
  from.load--
  if (!had(from, topic, partition)) from.fresh--
  give(to, { topic, partition })
}

const give = (sharer: Sharer | undefined, { topic, partition }: TopicPartition): void => {
  if (sharer === undefined) return
  let partitions = sharer.byTopic.get(topic)
  if (partitions === undefined) sharer.byTopic.set(topic, (partitions = []))
  sharer.load++
  if (had(sharer, topic, partition)) partitions.unshift(partition)
  else {
    partitions.push(partition)
    sharer.fresh++
  }
}

const had = ({ kept }: Sharer, topic: string, partition: number): boolean =>
  kept.get(topic)?.has(partition) === true

const leastLoaded = (sharers: readonly Sharer[]): Sharer | undefined =>
  sharers.reduce<Sharer | undefined>(
    (least, sharer) => (least === undefined || sharer.load < least.load ? sharer : least),
    undefined,
  )

const partitionsOf = ({ byTopic }: Sharer): TopicPartition[] =>
  [...byTopic].flatMap(([topic, partitions]) => partitions.map((partition) => ({ topic, partition })))

const namesOf = (partitions: readonly TopicPartition[]): ReadonlySet<string> =>
  new Set(partitions.map(partitionName))

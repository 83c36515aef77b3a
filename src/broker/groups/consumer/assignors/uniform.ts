/**
 * Uniform: every member gets as many partitions as every other, give or take one, and keeps of what it has whatever
 * that allows. Where members subscribe to different topics, no partition can go from one member to another that has
 * two less.
 */
import type { Uuid } from '../../../../runtime/uuid.js'
import { hasPartition, type Partitions } from '../partitions.js'
import type { AssignmentMember, Assignor, PartitionCount } from './assignor.js'

/** Assigns evenly, and as it was before where it can. */
export const assignUniform: Assignor = (members, partitionCount) => {
  const shares = members.map((member) => new Share(member, partitionCount))
  const free = freePartitions(shares, partitionCount)
  if (isHomogeneous(members)) level(shares, free)
  else spread(shares, free)
  return new Map(shares.map((share) => [share.memberId, share.partitions()]))
}

interface TopicPartition {
  readonly topicId: Uuid
  readonly partition: number
}

/** What a member is to have, while that is found out. */
class Share {
  readonly memberId: string
  readonly topicIds: ReadonlySet<Uuid>
  readonly topics = new Map<Uuid, number[]>()
  size = 0

  constructor({ memberId, topicIds, target }: AssignmentMember, partitionCount: PartitionCount) {
    this.memberId = memberId
    this.topicIds = topicIds
    for (const [topicId, partitions] of target) {
      if (!topicIds.has(topicId)) continue
      for (const partition of partitions) {
        if (partition < partitionCount(topicId)) this.add({ topicId, partition })
      }
    }
  }

  partitions(): Partitions {
    return new Map([...this.topics].map(([topicId, partitions]) => [topicId, new Set(partitions)]))
  }

  add({ topicId, partition }: TopicPartition): void {
    const partitions = this.topics.get(topicId)
    if (partitions === undefined) this.topics.set(topicId, [partition])
    else partitions.push(partition)
    this.size++
  }

  /** Gives one of `topicId` away, the last that it got. */
  take(topicId: Uuid): TopicPartition | undefined {
    const partitions = this.topics.get(topicId)
    const partition = partitions?.pop()
    if (partition === undefined) return undefined
    if (partitions?.length === 0) this.topics.delete(topicId)
    this.size--
    return { topicId, partition }
  }
}

const isHomogeneous = (members: readonly AssignmentMember[]): boolean => {
  const [first] = members
  if (first === undefined) return true
  return members.every(
    ({ topicIds }) =>
      topicIds === first.topicIds ||
      (topicIds.size === first.topicIds.size && [...topicIds].every((id) => first.topicIds.has(id))),
  )
}

const freePartitions = (shares: readonly Share[], partitionCount: PartitionCount): TopicPartition[] => {
  const taken = new Map<Uuid, Set<number>>()
  const topicIds = new Set<Uuid>()
  for (const share of shares) {
    for (const topicId of share.topicIds) topicIds.add(topicId)
    for (const [topicId, partitions] of share.topics) {
      const all = taken.get(topicId) ?? new Set<number>()
      taken.set(topicId, all)
      for (const partition of partitions) all.add(partition)
    }
  }
  const free: TopicPartition[] = []
  for (const topicId of topicIds) {
    for (let partition = 0; partition < partitionCount(topicId); partition++) {
      if (!hasPartition(taken, topicId, partition)) free.push({ topicId, partition })
    }
  }
  return free
}

/** All subscribe to the same: the quota is known, and who has most may have the one more that does not go round. */
const level = (shares: readonly Share[], free: readonly TopicPartition[]): void => {
  const total = shares.reduce((sum, { size }) => sum + size, free.length)
  const quota = Math.floor(total / shares.length)
  const extra = total % shares.length
  const ordered = [...shares].sort((left, right) => right.size - left.size)
  const pool = [...free]
  const quotaOf = (index: number): number => quota + (index < extra ? 1 : 0)
  ordered.forEach((share, index) => {
    for (const topicId of [...share.topics.keys()]) {
      while (share.size > quotaOf(index)) {
        const given = share.take(topicId)
        if (given === undefined) break
        pool.push(given)
      }
    }
  })
  let next = 0
  ordered.forEach((share, index) => {
    for (; share.size < quotaOf(index); next++) {
      const given = pool[next]
      if (given === undefined) return
      share.add(given)
    }
  })
}

/** Members subscribe to different topics: the least loaded subscriber gets what is free, then partitions move. */
const spread = (shares: readonly Share[], free: readonly TopicPartition[]): void => {
  const subscribers = new Map<Uuid, Share[]>()
  for (const share of shares) {
    for (const topicId of share.topicIds) {
      const those = subscribers.get(topicId)
      if (those === undefined) subscribers.set(topicId, [share])
      else those.push(share)
    }
  }
  // Topics with few who can have them first: the others can make up for that.
  const choice = ({ topicId }: TopicPartition): number => subscribers.get(topicId)?.length ?? 0
  for (const given of [...free].sort((left, right) => choice(left) - choice(right))) {
    leastLoaded(subscribers.get(given.topicId) ?? [])?.add(given)
  }
  // Every move makes the sum of the squares of all sizes smaller, so this ends.
  for (let isMoving = true; isMoving;) {
    isMoving = false
    for (const [topicId, those] of subscribers) {
      for (;;) {
        const to = leastLoaded(those)
        const from = mostLoaded(those.filter((share) => share.topics.has(topicId)))
        if (to === undefined || from === undefined || from.size - to.size < 2) break
        const moved = from.take(topicId)
        if (moved === undefined) break
        to.add(moved)
        isMoving = true
      }
    }
  }
}

const leastLoaded = (shares: readonly Share[]): Share | undefined =>
  shares.reduce<Share | undefined>(
    (least, share) => (least === undefined || share.size < least.size ? share : least),
    undefined,
  )

const mostLoaded = (shares: readonly Share[]): Share | undefined =>
  shares.reduce<Share | undefined>(
    (most, share) => (most === undefined || share.size > most.size ? share : most),
    undefined,
  )

/** Partitions by the id of their topic, as members of consumer groups have them and are to have them. */
import type { Uuid } from '../../../runtime/uuid.js'

/** Partitions by topic id; no topic without any. */
export type Partitions = ReadonlyMap<Uuid, ReadonlySet<number>>

/** The same with the epoch in which the member was given each: a commit from before that is not the owner's. */
export type EpochPartitions = ReadonlyMap<Uuid, ReadonlyMap<number, number>>

/** How a request or a record tells partitions. */
export interface TopicPartitions {
  readonly topicId: Uuid
  readonly partitions: readonly number[]
}

/** No partitions. */
export const NO_PARTITIONS: ReadonlyMap<Uuid, never> = new Map<Uuid, never>()

/** Whether `partitions`, with epochs or without, have this one. */
export const hasPartition = (
  partitions: Partitions | EpochPartitions,
  topicId: Uuid,
  partition: number,
): boolean => partitions.get(topicId)?.has(partition) === true

/** How many there are. */
export const countOf = (partitions: Partitions | EpochPartitions): number => {
  let count = 0
  for (const { size } of partitions.values()) count += size
  return count
}

/** Whether both are the same partitions. */
export const samePartitions = (left: Partitions, right: Partitions): boolean =>
  countOf(left) === countOf(right) &&
  [...left].every(([topicId, of]) => [...of].every((partition) => hasPartition(right, topicId, partition)))

/** Whether both are the same partitions, given in the same epochs. */
export const sameEpochPartitions = (left: EpochPartitions, right: EpochPartitions): boolean =>
  countOf(left) === countOf(right) &&
  [...left].every(([topicId, of]) =>
    [...of].every(([partition, epoch]) => right.get(topicId)?.get(partition) === epoch),
  )

/** As requests and records tell them, partitions in order. */
export const toTopicPartitions = (partitions: Partitions | EpochPartitions): TopicPartitions[] =>
  [...partitions].map(([topicId, of]) => ({ topicId, partitions: [...of.keys()].sort((a, b) => a - b) }))

/** What requests and records tell. */
export const fromTopicPartitions = (topics: readonly TopicPartitions[]): Partitions =>
  new Map(
    topics.flatMap(({ topicId, partitions }) =>
      partitions.length === 0 ? [] : [[topicId, new Set(partitions)] as const],
    ),
  )

/** Partitions one by one, and grouped by their topics as messages have them. */
import type { TopicPartition } from '../message.js'

/** Some partitions of a topic. */
export interface PartitionsOfTopic {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** The partitions one by one. */
export const flattenPartitions = (topics: readonly PartitionsOfTopic[]): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })))

/** The partitions by topic, both in the order in which they come. */
export const groupPartitions = (partitions: readonly TopicPartition[]): PartitionsOfTopic[] => {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const known = topics.get(topic)
    if (known === undefined) topics.set(topic, [partition])
    else known.push(partition)
  }
  return [...topics].map(([topic, indexes]) => ({ topic, partitions: indexes }))
}

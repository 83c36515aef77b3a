/** Partitions as requests name them: topic by topic. */
import type { TopicPartition } from '../message.js'

/** What a request says of a topic's partitions. */
interface TopicOf<E> {
  readonly name: string
  readonly partitions: readonly E[]
}

/** `partitions` topic by topic, each as `entry` has it, in the order in which they are given. */
export const groupByTopic = <P extends TopicPartition, E>(
  partitions: readonly P[],
  entry: (partition: P) => E,
): readonly TopicOf<E>[] => {
  const topics = new Map<string, E[]>()
  for (const partition of partitions) {
    const of = topics.get(partition.topic)
    if (of === undefined) topics.set(partition.topic, [entry(partition)])
    else of.push(entry(partition))
  }
  return [...topics].map(([name, of]) => ({ name, partitions: of }))
}

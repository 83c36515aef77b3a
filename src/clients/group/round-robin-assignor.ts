/** Kafka's RoundRobinAssignor. */
import type { TopicPartition } from '../message.js'
import { compareIds, type Assignor } from './assignor.js'

/**
 * Deals all partitions of all topics out like cards: in the order of topics and partitions, to the members in the
 * order of their ids, skipping those that do not subscribe to the topic. The numbers of partitions differ by one at
 * most when all members subscribe to the same topics.
 */
export const roundRobinAssignor: Assignor = {
  name: 'roundrobin',
  assign({ members, partitionCounts }) {
    const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
    const sorted = [...members].sort((a, b) => compareIds(a.memberId, b.memberId))
    let turn = 0
    for (const topic of [...partitionCounts.keys()].sort(compareIds)) {
      if (!sorted.some(({ topics }) => topics.includes(topic))) continue
      for (let partition = 0; partition < (partitionCounts.get(topic) ?? 0); partition++) {
        let member = sorted[turn++ % sorted.length]
        while (member?.topics.includes(topic) === false) member = sorted[turn++ % sorted.length]
        if (member !== undefined) assignment.get(member.memberId)?.push({ topic, partition })
      }
    }
    return assignment
  },
}

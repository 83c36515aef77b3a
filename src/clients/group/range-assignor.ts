/** Kafka's RangeAssignor, without its rack awareness. */
import type { TopicPartition } from '../message.js'
import { compareIds, type Assignor } from './assignor.js'

/**
 * Topic by topic, each member gets a run of neighbouring partitions, in the order of the member ids; the first members
 * get one more when it does not come out even. Topics with as many partitions and the same subscribers are split
 * alike, so a member has the same partition of each. Kafka's default.
 */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign({ members, partitionCounts }) {
    const assignment = new Map<string, TopicPartition[]>(members.map(({ memberId }) => [memberId, []]))
    const sorted = [...members].sort((a, b) => compareIds(a.memberId, b.memberId))
    for (const topic of [...partitionCounts.keys()].sort(compareIds)) {
      const subscribers = sorted.filter(({ topics }) => topics.includes(topic))
      const count = partitionCounts.get(topic) ?? 0
      const share = Math.floor(count / subscribers.length)
      const withOneMore = count % subscribers.length
      let next = 0
      subscribers.forEach(({ memberId }, index) => {
        const end = next + share + (index < withOneMore ? 1 : 0)
        for (; next < end; next++) assignment.get(memberId)?.push({ topic, partition: next })
      })
    }
    return assignment
  },
}

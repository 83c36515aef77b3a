/** What a log tells of groups that means nothing any more when it is read. */
import type { Uuid } from '../../runtime/uuid.js'
import { IN_PROCESS_HOST } from '../request-context.js'
import type { ClassicGroup } from './classic/classic-group.js'
import { isOfTopic } from './committed-offsets.js'
import type { Group } from './group.js'

/** Tells the id of a topic that exists; undefined when it does not. */
export type TopicIdLookup = (topic: string) => Uuid | undefined

/**
 * Members that lived in the process that wrote the log have died with it; nobody has to wait for their sessions to end.
 * Static ones may come back before that.
 */
export const dropDeadMembers = (group: ClassicGroup, now: number): boolean => {
  const dead = [...group.members.values()].filter(
    ({ clientHost, groupInstanceId }) => clientHost === IN_PROCESS_HOST && groupInstanceId === null,
  )
  if (dead.length === 0) return false
  for (const { memberId } of dead) group.remove(memberId)
  if (group.members.size === 0) group.protocolName = null
  group.restore([...group.members.values()], now)
  return true
}

/** Offsets of a topic that was deleted, or deleted and created anew, mean nothing. */
export const dropGoneTopics = (group: Group, topicIdOf: TopicIdLookup): void => {
  for (const topic of group.offsets.topics()) {
    const present = topicIdOf(topic)
    for (const partition of group.offsets.partitions(topic)) {
      const committed = group.offsets.get(topic, partition)
      if (present === undefined || committed === undefined || !isOfTopic(committed, present)) {
        group.offsets.delete(topic, partition)
      }
    }
  }
}

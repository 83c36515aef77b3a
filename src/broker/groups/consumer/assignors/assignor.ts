/** What decides which member of a consumer group is to have which partitions, and the two that there are. */
import type { Uuid } from '../../../../runtime/uuid.js'
import type { Partitions } from '../partitions.js'

/** A member, as an assignor sees it. */
export interface AssignmentMember {
  readonly memberId: string
  /** Null for a member that is not static. */
  readonly instanceId: string | null
  /** The topics that it subscribes to; all exist. */
  readonly topicIds: ReadonlySet<Uuid>
  /** What it was to have until now. */
  readonly target: Partitions
}

/** Tells how many partitions a topic has. */
export type PartitionCount = (topicId: Uuid) => number

/** Gives every partition of every topic to one of the members that subscribe to it. */
export type Assignor = (
  members: readonly AssignmentMember[],
  partitionCount: PartitionCount,
) => Map<string, Partitions>

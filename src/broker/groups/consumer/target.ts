/** What the members of a consumer group are to have: decided by the assignor that most of them want. */
import { assignRange } from './assignors/range.js'
import { assignUniform } from './assignors/uniform.js'
import type { Assignor } from './assignors/assignor.js'
import type { ConsumerState, Topics } from './consumer-state.js'
import { NO_PARTITIONS, samePartitions } from './partitions.js'

/** The assignors that there are, by Kafka's names. */
export const ASSIGNORS = { uniform: assignUniform, range: assignRange } as const satisfies Record<
  string,
  Assignor
>

/** The name of an assignor. */
export type AssignorName = keyof typeof ASSIGNORS

/** The assignor with the most votes; `fallback` when nobody votes. */
export const preferredAssignor = (state: ConsumerState, fallback: AssignorName): AssignorName => {
  const votes = new Map<AssignorName, number>()
  for (const { subscription } of state.members.values()) {
    const { serverAssignor } = subscription
    if (isAssignor(serverAssignor)) votes.set(serverAssignor, (votes.get(serverAssignor) ?? 0) + 1)
  }
  let preferred = fallback
  for (const [name, count] of votes) if (count > (votes.get(preferred) ?? 0)) preferred = name
  return preferred
}

/** Decides anew, for the epoch that `draft` is in. */
export const retarget = (draft: ConsumerState, topics: Topics, assignor: AssignorName, now: number): void => {
  const members = [...draft.members.values()].map((member) => ({
    memberId: member.memberId,
    instanceId: member.subscription.instanceId,
    topicIds: draft.topicIdsOf(member, topics),
    target: draft.targets.get(member.memberId) ?? NO_PARTITIONS,
  }))
  const targets = ASSIGNORS[assignor](members, (topicId) => topics.topicById(topicId)?.partitions.length ?? 0)
  for (const { memberId } of members) {
    const before = draft.targets.get(memberId)
    const target = targets.get(memberId) ?? NO_PARTITIONS
    if (before === undefined || !samePartitions(before, target)) draft.targets.set(memberId, target)
  }
  draft.assignmentEpoch = draft.epoch
  draft.assignmentTimestamp = now
}

const isAssignor = (name: string | null): name is AssignorName => name !== null && name in ASSIGNORS

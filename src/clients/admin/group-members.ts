/** Removing static members from a group, which do not leave by themselves (KIP-345). */
import { leaveGroup } from '../../protocol/api/leave-group.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions } from './admin-options.js'
import { Outcomes } from './outcomes.js'

export const removeStaticMembers = async (
  { cluster }: ClientContext,
  groupId: string,
  groupInstanceIds: readonly string[],
  { signal }: AdminOptions,
): Promise<void> => {
  const coordinator = await cluster.coordinator(groupId, { signal })
  const leaving = groupInstanceIds.map((groupInstanceId) => ({
    memberId: '',
    groupInstanceId,
    reason: 'an administrator removed it',
  }))
  const request = { groupId, memberId: '', members: leaving }
  const { errorCode, members } = await coordinator.send(leaveGroup, request, { signal })
  const outcomes = new Outcomes<string>(groupInstanceIds)
  for (const id of groupInstanceIds) {
    const answer = members.find(({ groupInstanceId }) => groupInstanceId === id)
    const code = errorCode === 0 ? answer?.errorCode : errorCode
    if (code === 0) outcomes.succeed(id, id)
    else if (code !== undefined) {
      const text = `Static member ${id} of group ${groupId}: ${errorFromKafkaCode(code).message}`
      outcomes.fail(id, errorFromKafkaCode(code, text, { details: { groupId, groupInstanceId: id } }))
    }
  }
  outcomes.results()
}

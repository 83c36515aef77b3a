/** LeaveGroup: members go at once; from version 3 on several in one request, with a result for each. */
import type { leaveGroup } from '../../protocol/api/leave-group.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

/** The first version with several members. */
const SEVERAL_SINCE = 3

export const handleLeaveGroup: Handler<typeof leaveGroup> = async (services, request, context) => {
  const isSeveral = context.apiVersion >= SEVERAL_SINCE
  const leaving = isSeveral
    ? request.members
    : [{ memberId: request.memberId, groupInstanceId: null, reason: null }]
  try {
    const problems = await services.groups.leave(request.groupId, leaving)
    const codes = problems.map((problem) => (problem === undefined ? 0 : codeOf(problem)))
    if (!isSeveral) return { throttleTimeMs: 0, errorCode: codes[0] ?? 0, members: [] }
    const members = leaving.map(({ memberId, groupInstanceId }, index) => ({
      memberId,
      groupInstanceId,
      errorCode: codes[index] ?? 0,
    }))
    return { throttleTimeMs: 0, errorCode: 0, members }
  } catch (error) {
    return { throttleTimeMs: 0, errorCode: responseErrorOf(error).errorCode, members: [] }
  }
}

/** JoinGroup: see groups/classic/joining.ts. */
import type { joinGroup } from '../../protocol/api/join-group.js'
import { joinError } from '../groups/classic/group-responses.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleJoinGroup: Handler<typeof joinGroup> = async (services, request, context) => {
  try {
    return await services.groups.join(request, context)
  } catch (error) {
    const { errorCode } = responseErrorOf(error)
    return { ...joinError('UNKNOWN_SERVER_ERROR', request.memberId), errorCode }
  }
}

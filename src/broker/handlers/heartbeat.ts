/** Heartbeat: keeps a member's session alive, and tells it of a rebalance. */
import type { heartbeat } from '../../protocol/api/heartbeat.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleHeartbeat: Handler<typeof heartbeat> = async (services, request) => {
  try {
    const problem = await services.groups.heartbeat(request)
    return { throttleTimeMs: 0, errorCode: problem === undefined ? 0 : codeOf(problem) }
  } catch (error) {
    return { throttleTimeMs: 0, errorCode: responseErrorOf(error).errorCode }
  }
}

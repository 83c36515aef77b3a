/** SyncGroup: see groups/group-coordinator.ts. */
import type { syncGroup } from '../../protocol/api/sync-group.js'
import { syncError } from '../groups/classic/group-responses.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

/** The first version whose members must say which protocol they believe in. */
const PROTOCOL_SINCE = 5

export const handleSyncGroup: Handler<typeof syncGroup> = async (services, request, context) => {
  const { protocolType, protocolName } = request
  if (context.apiVersion >= PROTOCOL_SINCE && (protocolType === null || protocolName === null)) {
    return syncError('INCONSISTENT_GROUP_PROTOCOL')
  }
  try {
    return await services.groups.sync(request)
  } catch (error) {
    return { ...syncError('UNKNOWN_SERVER_ERROR'), errorCode: responseErrorOf(error).errorCode }
  }
}

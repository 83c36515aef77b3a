/** SyncGroup: see groups/group-coordinator.ts. */
import type { syncGroup } from '../../protocol/api/sync-group.js'
import { syncError } from '../groups/group-responses.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleSyncGroup: Handler<typeof syncGroup> = async (services, request) => {
  try {
    return await services.groups.sync(request)
  } catch (error) {
    return { ...syncError('UNKNOWN_SERVER_ERROR'), errorCode: responseErrorOf(error).errorCode }
  }
}

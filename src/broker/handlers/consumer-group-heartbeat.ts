/** ConsumerGroupHeartbeat: see groups/consumer/heartbeat.ts. */
import type { consumerGroupHeartbeat } from '../../protocol/api/consumer-group-heartbeat.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleConsumerGroupHeartbeat: Handler<typeof consumerGroupHeartbeat> = async (
  services,
  request,
  context,
) => {
  try {
    return await services.groups.consumerHeartbeat(request, context)
  } catch (error) {
    return {
      throttleTimeMs: 0,
      ...responseErrorOf(error),
      memberId: null,
      memberEpoch: 0,
      heartbeatIntervalMs: 0,
      assignment: null,
    }
  }
}

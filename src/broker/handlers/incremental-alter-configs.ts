/** IncrementalAlterConfigs: changes single configs of topics. Each resource is changed, or refused, by itself. */
import type { incrementalAlterConfigs } from '../../protocol/api/incremental-alter-configs.js'
import { alterEach } from './alter-each.js'
import type { Handler } from './handler.js'

export const handleIncrementalAlterConfigs: Handler<typeof incrementalAlterConfigs> = async (
  services,
  request,
) => ({
  throttleTimeMs: 0,
  responses: await alterEach(request.resources, (resource) =>
    services.configChanges.alter(resource, resource.configs, request),
  ),
})

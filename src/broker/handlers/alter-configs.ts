/** AlterConfigs: what is given replaces all that a topic sets. Each resource is changed, or refused, by itself. */
import type { alterConfigs } from '../../protocol/api/alter-configs.js'
import { alterEach } from './alter-each.js'
import type { Handler } from './handler.js'

export const handleAlterConfigs: Handler<typeof alterConfigs> = async (services, request) => ({
  throttleTimeMs: 0,
  responses: await alterEach(request.resources, (resource) =>
    services.configChanges.replace(resource, resource.configs, request),
  ),
})

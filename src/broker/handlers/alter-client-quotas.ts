/** AlterClientQuotas: sets and removes quotas. */
import type { alterClientQuotas } from '../../protocol/api/alter-client-quotas.js'
import { alterQuotas } from '../quotas/quota-changes.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleAlterClientQuotas: Handler<typeof alterClientQuotas> = async ({ metadata }, request) => {
  const results = await alterQuotas(metadata, request)
  return {
    throttleTimeMs: 0,
    entries: results.map(({ entity, error }) => ({
      ...(error === undefined ? NO_ERROR : responseErrorOf(error)),
      entity,
    })),
  }
}

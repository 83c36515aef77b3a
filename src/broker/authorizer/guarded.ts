/** A request on its way to its handler, past the guard of its API. */
import type { Api } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { RequestContext } from '../request-context.js'
import type { BrokerServices } from '../services.js'
import { Access, ANONYMOUS } from './access.js'
import { GUARDS } from './guards.js'

/**
 * What `handle` answers to what the client may ask; all of it where nothing is decided about clients.
 * @throws OttlaError CLUSTER_AUTHORIZATION_FAILED for an API that nobody may use.
 */
export const answerGuarded = (
  services: BrokerServices,
  api: Api,
  request: unknown,
  { authorizer, principal = ANONYMOUS, clientHost }: RequestContext,
  handle: (allowed: unknown) => unknown,
): unknown => {
  if (authorizer === undefined) return handle(request)
  const guard = GUARDS.get(api.key)
  if (guard === undefined) {
    throw new OttlaError(
      'CLUSTER_AUTHORIZATION_FAILED',
      `Nothing says who may use the API ${api.name} (key ${api.key}).`,
    )
  }
  const access = new Access(services, authorizer, { principal, host: clientHost.replace('/', '') })
  return guard.answer(access, request as never, handle as never)
}

/** What a handler is: a typed function for one API, and how the table of them forgets the types. */
import type { Api, Fields, RequestOf, ResponseOf } from '../../protocol/schema.js'
import type { RequestContext } from '../request-context.js'
import type { BrokerServices } from '../services.js'

/** Answers the requests of one API. What goes wrong is in the response's fields; only what the response has no field for is thrown. */
export type Handler<A> = (
  services: BrokerServices,
  request: RequestOf<A>,
  context: RequestContext,
) => ResponseOf<A> | Promise<ResponseOf<A>>

/** An API with its handler; which types they share is known only to {@link bind}. */
export interface BoundHandler {
  readonly api: Api
  readonly handle: (services: BrokerServices, request: never, context: RequestContext) => unknown
}

/** Ties an API to its handler. */
export const bind = <Q extends Fields, P extends Fields>(
  api: Api<Q, P>,
  handle: Handler<Api<Q, P>>,
): BoundHandler => ({ api, handle })

/** What a handler knows of a request besides its message. */
import type { AuthorizerSettings } from './authorizer/access.js'
import type { OttlaError } from '../runtime/errors/ottla-error.js'

/** Who asks, and in which version. */
export interface RequestContext {
  /** The version of the API that the message is in; on a direct call the newest. */
  readonly apiVersion: number
  /** What the client calls itself; null when it gave no name. */
  readonly clientId: string | null
  /** Where the client is: an address, or {@link IN_PROCESS_HOST}. */
  readonly clientHost: string
  /** Who the client is, for instance `User:alice`; left out by clients in this process. */
  readonly principal?: string
  /** How it is decided what the client may do; left out, it may do everything. */
  readonly authorizer?: AuthorizerSettings | undefined
  /** Aborts when the client gave up waiting. */
  readonly signal?: AbortSignal | undefined
  /** Where this client reaches the broker; left out by clients in this process, which have no use for an address. */
  readonly advertised?: { readonly host: string; readonly port: number }
  /** What a listener found wrong with the records of this request, by their field. */
  readonly recordErrors?: ReadonlyMap<readonly Uint8Array[], OttlaError> | undefined
}

/** The host of clients that live in the broker's own process, and therefore die with it. */
export const IN_PROCESS_HOST = 'in-process'

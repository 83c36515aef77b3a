/** What a SASL mechanism is to the listener: tokens in, tokens out, and in the end who it is. */
import { OttlaError } from '../../../runtime/errors/ottla-error.js'

/** Who authenticated. */
export interface SaslIdentity {
  /** The name of the user. */
  readonly name: string
  /** Until when the credential is good, in milliseconds since the Unix epoch; undefined for one without an end. */
  readonly expiresAt?: number | undefined
}

/** What answers a token. */
export interface SaslReply {
  readonly token: Uint8Array
  /** Set when nothing more is expected: the client is this one. */
  readonly identity?: SaslIdentity
}

/** One authentication by one mechanism. */
export interface SaslExchange {
  /**
   * Answers the client's next token.
   * @throws OttlaError SASL_AUTHENTICATION_FAILED, whose message the client is told; of any other error it is told
   * nothing but that it failed.
   */
  respond(token: Uint8Array): Promise<SaslReply>
}

/** What a verifier of the application is told of the client besides its credentials. */
export interface SaslClient {
  /** Where it is; empty for a Unix socket. */
  readonly remoteAddress: string
  /** Aborts when it is gone. */
  readonly signal: AbortSignal
}

/** A refusal that the client is told as it stands: nothing in it may say whether a user exists. */
export const refusal = (message: string): OttlaError<'SASL_AUTHENTICATION_FAILED'> =>
  new OttlaError('SASL_AUTHENTICATION_FAILED', message)

/**
 * A verifier of the application that answers something else than it should: whoever it is about is not let in. What it
 * answered is not shown, as it may well be a password.
 */
export const invalidVerdict = (verifier: string, expected: string): OttlaError<'INVALID_ARGUMENT'> =>
  new OttlaError(
    'INVALID_ARGUMENT',
    `The verifier ${verifier} of sasl returned something else than expected: ${expected}.`,
    { details: { verifier } },
  )

/** A token that is not what the mechanism has there; the client learns no more than that it failed. */
export const invalidToken = (message: string): OttlaError<'INVALID_REQUEST'> =>
  new OttlaError('INVALID_REQUEST', message)

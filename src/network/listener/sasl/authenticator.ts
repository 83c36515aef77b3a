/**
 * How one connection authenticates, as Kafka has it (KIP-43, KIP-152, KIP-368): ApiVersions if it likes, SaslHandshake
 * with a mechanism, then tokens of that until it is known who it is. Where sessions have an end, a handshake on a
 * connection that is in use begins anew, for the same user and by the same mechanism.
 */
import { apiVersions } from '../../../protocol/api/api-versions.js'
import { saslAuthenticate } from '../../../protocol/api/sasl-authenticate.js'
import { saslHandshake } from '../../../protocol/api/sasl-handshake.js'
import { decodeRequestHeader } from '../../../protocol/frame.js'
import { Reader } from '../../../protocol/reader.js'
import type { Fields, Message, RequestOf } from '../../../protocol/schema.js'
import { ERRORS } from '../../../runtime/errors/error-table.js'
import { OttlaError } from '../../../runtime/errors/ottla-error.js'
import { readRequest, responseFrame, unknownVersionFrame, type ListenerRequest } from '../request.js'
import { refusal, type SaslClient, type SaslExchange, type SaslIdentity } from './exchange.js'
import type { Sasl } from './sasl.js'

/** How often a connection may authenticate anew, as in Kafka. */
const MIN_REAUTHENTICATION_MS = 1000
const EMPTY = new Uint8Array(0)

/** What a frame led to. */
export interface AuthenticationStep {
  /** What answers it; undefined when nothing does. */
  readonly answer?: readonly Uint8Array[] | undefined
  /** Why the connection has to end after the answer. */
  readonly failure?: OttlaError
}

/** What an authenticator works with. */
export interface AuthenticatorParts {
  readonly sasl: Sasl
  readonly client: SaslClient
  /** Answers ApiVersions. */
  versions(request: ListenerRequest): Promise<Message<Fields>>
}

/** Who uses the connection, how it is known, and for how long. */
interface Session {
  readonly name: string
  readonly mechanism: string
  /** On the monotonic clock; undefined when it has no end. */
  readonly endsAt: number | undefined
}

/** What answers a token. */
interface Evaluated {
  readonly token: Uint8Array
  readonly sessionLifetimeMs: number
}

/** Why there is no answer to a token: for the application, and what of that the client is told. */
interface Refused {
  readonly failure: OttlaError
  readonly told: string
}

type State = 'versions or handshake' | 'handshake' | 'tokens' | 'done'

/** The authentication of one connection. */
export class SaslAuthenticator {
  readonly #parts: AuthenticatorParts
  #state: State = 'versions or handshake'
  #exchange: SaslExchange | undefined
  #mechanism = ''
  /** Whether tokens stand in frames of their own: after a handshake of version 0. */
  #isBare = false
  #session: Session | undefined
  #lastBegan = -Infinity

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts
  }

  /** Whether it was ever known who uses the connection. */
  get hasSession(): boolean {
    return this.#session !== undefined
  }

  /** The name of who uses the connection; undefined while that is not known. */
  get user(): string | undefined {
    return this.#session?.name
  }

  /**
   * Whether `frame` is for {@link step} rather than for the broker.
   * @throws OttlaError SASL_AUTHENTICATION_FAILED for a request after the session's end.
   */
  takes(frame: Uint8Array): boolean {
    if (this.#state !== 'done') return true
    const endsAt = this.#session?.endsAt
    if (endsAt === undefined) return false
    const now = this.#parts.sasl.monotonic()
    const isHandshake = decodeRequestHeader(new Reader(frame)).apiKey === saslHandshake.key
    if (isHandshake && now - this.#lastBegan >= MIN_REAUTHENTICATION_MS) {
      this.#lastBegan = now
      this.#state = 'handshake'
      return true
    }
    if (now > endsAt) throw refusal('The session has ended; the client has to authenticate again in time.')
    return false
  }

  /** Takes a frame; one at a time. It never rejects. */
  async step(frame: Uint8Array): Promise<AuthenticationStep> {
    try {
      if (this.#state !== 'tokens') return await this.#beforeTokens(frame)
      return this.#isBare ? await this.#bareToken(frame) : await this.#tokenInRequest(frame)
    } catch (error) {
      return { failure: failureOf(error) }
    }
  }

  async #beforeTokens(frame: Uint8Array): Promise<AuthenticationStep> {
    const { apiKey } = decodeRequestHeader(new Reader(frame))
    const mayAskVersions = this.#state === 'versions or handshake'
    // Before it is decoded: from whoever this is, no more is read than has to be.
    if (apiKey !== saslHandshake.key && !(mayAskVersions && apiKey === apiVersions.key))
      throw illegalState(apiKey, 'SaslHandshake')
    const request = readRequest(frame)
    if ('unknownVersionOf' in request) return { answer: unknownVersionFrame(request.unknownVersionOf) }
    if (apiKey === saslHandshake.key) return this.#handshake(request)
    const answer = responseFrame(request, await this.#parts.versions(request))
    this.#state = 'handshake'
    return { answer }
  }

  #handshake(request: ListenerRequest): AuthenticationStep {
    const { sasl, client } = this.#parts
    const { mechanism } = request.body as RequestOf<typeof saslHandshake>
    const { mechanisms } = sasl
    const exchange = sasl.begin(mechanism, client)
    if (exchange === undefined) {
      const failure = new OttlaError(
        'UNSUPPORTED_SASL_MECHANISM',
        `The client asks for the SASL mechanism ${mechanism.slice(0, 40)}; expected ${mechanisms.join(', ')}.`,
      )
      return { answer: responseFrame(request, { errorCode: failure.kafkaCode, mechanisms }), failure }
    }
    this.#exchange = exchange
    this.#mechanism = mechanism
    this.#isBare = request.header.apiVersion === 0
    this.#state = 'tokens'
    return { answer: responseFrame(request, { errorCode: 0, mechanisms }) }
  }

  async #bareToken(frame: Uint8Array): Promise<AuthenticationStep> {
    const result = await this.#evaluate(frame)
    // There is no answer that could carry an error.
    if ('failure' in result) return { failure: result.failure }
    return { answer: [sizeOf(result.token), result.token] }
  }

  async #tokenInRequest(frame: Uint8Array): Promise<AuthenticationStep> {
    const { apiKey } = decodeRequestHeader(new Reader(frame))
    if (apiKey !== saslAuthenticate.key) throw illegalState(apiKey, 'SaslAuthenticate')
    const request = readRequest(frame)
    if ('unknownVersionOf' in request) throw illegalState(apiKey, 'SaslAuthenticate')
    const result = await this.#evaluate((request.body as RequestOf<typeof saslAuthenticate>).authBytes)
    if ('failure' in result) {
      const { failure, told: errorMessage } = result
      const { kafkaCode: errorCode } = failure
      const response = { errorCode, errorMessage, authBytes: EMPTY, sessionLifetimeMs: 0 }
      return { answer: responseFrame(request, response), failure }
    }
    const { token: authBytes, sessionLifetimeMs } = result
    return {
      answer: responseFrame(request, { errorCode: 0, errorMessage: null, authBytes, sessionLifetimeMs }),
    }
  }

  async #evaluate(token: Uint8Array): Promise<Evaluated | Refused> {
    try {
      if (this.#session !== undefined && this.#session.mechanism !== this.#mechanism)
        throw refusal(
          `SASL mechanism '${this.#mechanism}' requested by client is not supported for re-authentication of mechanism '${this.#session.mechanism}'`,
        )
      const reply = await this.#exchange?.respond(token)
      const identity = reply?.identity
      const sessionLifetimeMs = identity === undefined ? 0 : this.#complete(identity)
      return { token: reply?.token ?? EMPTY, sessionLifetimeMs }
    } catch (error) {
      return this.#refused(error)
    }
  }

  /** The client is told why only where that gives nothing away. */
  #refused(cause: unknown): Refused {
    const mechanism = this.#mechanism
    const during = this.#session === undefined ? 'authentication' : 're-authentication'
    const why = cause instanceof Error ? cause.message : String(cause)
    const failure = new OttlaError(
      'SASL_AUTHENTICATION_FAILED',
      `The ${during} by ${mechanism} failed: ${why}`,
      {
        cause,
        details: { mechanism },
      },
    )
    const told = OttlaError.is(cause, 'SASL_AUTHENTICATION_FAILED')
      ? why
      : `Authentication failed during ${during} due to invalid credentials with SASL mechanism ${mechanism}`
    return { failure, told }
  }

  /** It is known who the client is. Returns for how long, in milliseconds; 0 for without an end. */
  #complete({ name, expiresAt }: SaslIdentity): number {
    const { sasl } = this.#parts
    if (this.#session !== undefined && this.#session.name !== name)
      throw refusal(
        `Cannot change principals during re-authentication from User.${this.#session.name}: User.${name}`,
      )
    const { connectionsMaxReauthMs } = sasl.options
    const lifetimes = [
      ...(connectionsMaxReauthMs > 0 ? [connectionsMaxReauthMs] : []),
      ...(expiresAt === undefined ? [] : [Math.floor(expiresAt - sasl.now())]),
    ]
    const lifetimeMs = lifetimes.length === 0 ? 0 : Math.max(1, Math.min(...lifetimes))
    this.#session = {
      name,
      mechanism: this.#mechanism,
      endsAt: lifetimeMs === 0 ? undefined : sasl.monotonic() + lifetimeMs,
    }
    this.#exchange = undefined
    this.#state = 'done'
    return lifetimeMs
  }
}

const illegalState = (apiKey: number, expected: string): OttlaError =>
  new OttlaError(
    'ILLEGAL_SASL_STATE',
    `A request with the API key ${apiKey} came before the client has authenticated; expected ${expected}. ${ERRORS.ILLEGAL_SASL_STATE.meaning}`,
  )

const failureOf = (error: unknown): OttlaError =>
  OttlaError.is(error)
    ? error
    : new OttlaError('UNKNOWN_SERVER_ERROR', `The client could not be authenticated (${String(error)}).`, {
        cause: error,
      })

const sizeOf = (token: Uint8Array): Uint8Array => {
  const size = new Uint8Array(4)
  new DataView(size.buffer).setInt32(0, token.length)
  return size
}

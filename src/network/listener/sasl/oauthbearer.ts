/** SASL OAUTHBEARER (RFC 7628, KIP-255): a token that somebody else issued, judged by the application. */
import { readUtf8, toUtf8 } from '../../../runtime/bytes.js'
import {
  invalidToken,
  invalidVerdict,
  refusal,
  type SaslClient,
  type SaslExchange,
  type SaslReply,
} from './exchange.js'

/** What a client says by OAUTHBEARER. */
export interface BearerToken {
  /** The token, in base64url as a rule. */
  readonly token: string
  /** What the client says besides it (KIP-342). Nobody has vouched for that. */
  readonly extensions: Readonly<Record<string, string>>
}

/** Whom a token stands for. */
export interface BearerIdentity {
  /** The name of the user. */
  readonly principal: string
  /** Until when the token is good, in milliseconds since the Unix epoch; left out for one without an end. */
  readonly expiresAt?: number | undefined
}

/** Whom the token stands for; undefined when it is none of those that are good. What it throws is a refusal too. */
export type BearerVerifier = (
  token: BearerToken,
  client: SaslClient,
) => BearerIdentity | undefined | Promise<BearerIdentity | undefined>

const CONTROL_A = '\u0001'
const NAME = String.raw`(?:[\x02-\x2b\x2d-\x3c\x3e-\x7f]|=2C|=3D)+`
const INITIAL = new RegExp(
  `^n,(?:a=(${NAME}))?,\\u0001((?:[A-Za-z]+=[\\x21-\\x7e \\t\\r\\n]+\\u0001)*)\\u0001$`,
)
const AUTH = /^bearer +([-_~+/.A-Za-z0-9]+=*)$/i
/** What a client is told of a token that is no good; it says that it has heard, and only then it is over. */
const FAILED = '{"status":"invalid_token"}'
const NOTHING = new Uint8Array(0)

/** One authentication by OAUTHBEARER. */
export class BearerExchange implements SaslExchange {
  readonly #verify: BearerVerifier
  readonly #client: SaslClient
  readonly #now: () => number
  #hasFailed = false

  constructor(verify: BearerVerifier, client: SaslClient, now: () => number) {
    this.#verify = verify
    this.#client = client
    this.#now = now
  }

  async respond(token: Uint8Array): Promise<SaslReply> {
    if (this.#hasFailed) throw refusal(FAILED)
    const { authorizationId, ...bearer } = parse(readUtf8(token, 0, token.length))
    const found = checkIdentity(await this.#verify(bearer, this.#client))
    if (found === undefined || (found.expiresAt !== undefined && found.expiresAt <= this.#now())) {
      this.#hasFailed = true
      return { token: toUtf8(FAILED) }
    }
    const { principal, expiresAt } = found
    if (authorizationId !== undefined && authorizationId !== principal)
      throw refusal(
        `Authentication failed: Client requested an authorization id (${authorizationId}) that is different from the token's principal name (${principal})`,
      )
    return { token: NOTHING, identity: { name: principal, expiresAt } }
  }
}

/** Without a name the client would be let in as nobody, and without an end that is a number, for ever. */
const checkIdentity = (found: unknown): BearerIdentity | undefined => {
  if (found === undefined) return undefined
  const { principal, expiresAt } = Object(found) as { principal?: unknown; expiresAt?: unknown }
  const isNamed = typeof principal === 'string' && principal !== ''
  if (isNamed && (expiresAt === undefined || Number.isFinite(expiresAt)))
    return { principal, expiresAt: expiresAt as number | undefined }
  throw invalidVerdict('oauthbearer', 'undefined, or a principal, with an expiresAt in milliseconds or none')
}

const parse = (message: string): BearerToken & { readonly authorizationId: string | undefined } => {
  const [, authorizationId, pairs] = INITIAL.exec(message) ?? []
  if (pairs === undefined) throw invalidToken('Invalid OAUTHBEARER client first message')
  const values = new Map(
    pairs
      .split(CONTROL_A)
      .filter((pair) => pair !== '')
      .map((pair) => {
        const at = pair.indexOf('=')
        return [pair.slice(0, at), pair.slice(at + 1)]
      }),
  )
  const [, token] = AUTH.exec(values.get('auth') ?? '') ?? []
  if (token === undefined) throw invalidToken("Invalid OAUTHBEARER client first message: no 'auth'")
  values.delete('auth')
  return { authorizationId, token, extensions: Object.fromEntries(values) }
}

/** How a listener authenticates its clients: the options, and what of them is refused. */
import type { ScramMechanism } from '../../../protocol/scram.js'
import { invalidArgument, OttlaError } from '../../../runtime/errors/ottla-error.js'
import { checkOptions, customOption, integerOption } from '../../../runtime/options.js'
import type { BearerVerifier } from './oauthbearer.js'
import { plainUsers, type PlainVerifier } from './plain.js'

/** How clients authenticate (KIP-12, KIP-84, KIP-255): by any of the mechanisms that are named here, one at least. */
export interface SaslOptions {
  /**
   * PLAIN: passwords by user, or a function that judges them. The client sends its password as it is: without TLS
   * whoever is on the way reads it.
   */
  readonly plain?: PlainVerifier | Readonly<Record<string, string>>
  /** The SCRAM mechanisms. Their users are those that `admin.alterUserScramCredentials` has set. */
  readonly scram?: readonly ScramMechanism[]
  /** OAUTHBEARER: judges tokens. */
  readonly oauthbearer?: BearerVerifier
  /**
   * After how many milliseconds a client has to authenticate again (KIP-368); a token that ends earlier ends the
   * session earlier. Default 0, as in Kafka: only tokens end a session.
   */
  readonly connectionsMaxReauthMs?: number
  /** Within how many milliseconds a client has to authenticate; default 30,000 (Kafka: `connections.max.idle.ms`). */
  readonly connectionsMaxAuthenticationMs?: number
  /** How long the answer to wrong credentials is held back, in milliseconds, so that guessing is slow. Default 100, as in Kafka. */
  readonly connectionFailedAuthenticationDelayMs?: number
  /** The largest request of a client that has not authenticated yet, in bytes. Default 65,536 (Kafka: 524,288). */
  readonly saslServerMaxReceiveSize?: number
}

/** Options that are complete. */
export interface CheckedSaslOptions {
  readonly plain: PlainVerifier | undefined
  readonly scram: readonly ScramMechanism[]
  readonly oauthbearer: BearerVerifier | undefined
  readonly connectionsMaxReauthMs: number
  readonly connectionsMaxAuthenticationMs: number
  readonly connectionFailedAuthenticationDelayMs: number
  readonly saslServerMaxReceiveSize: number
}

const SCRAM: readonly unknown[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] satisfies readonly ScramMechanism[]

const isFunction = (value: unknown): value is (...args: never[]) => unknown => typeof value === 'function'

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const RULES = {
  plain: customOption<SaslOptions['plain']>(
    undefined,
    'an object of passwords by user, or a function',
    (value) => isFunction(value) || isObject(value),
  ),
  scram: customOption<readonly ScramMechanism[]>(
    [],
    'a list of SCRAM-SHA-256, SCRAM-SHA-512 or both',
    (value) => Array.isArray(value) && value.length > 0 && value.every((one) => SCRAM.includes(one)),
  ),
  oauthbearer: customOption<BearerVerifier | undefined>(undefined, 'a function', isFunction),
  connectionsMaxReauthMs: integerOption(0, 0),
  connectionsMaxAuthenticationMs: integerOption(30_000, 1),
  connectionFailedAuthenticationDelayMs: integerOption(100, 0, 60_000),
  saslServerMaxReceiveSize: integerOption(65_536, 1024, 0x7fff_ffff),
}

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkSaslOptions = (given: SaslOptions): CheckedSaslOptions => {
  const { plain, ...options } = checkOptions('sasl', RULES, given)
  if (plain === undefined && options.scram.length === 0 && options.oauthbearer === undefined)
    throw invalidArgument(
      'Option sasl of listen',
      given,
      'at least one of plain, scram and oauthbearer, or nobody could connect',
    )
  if (plain === undefined || isFunction(plain)) return { ...options, plain }
  for (const [user, password] of Object.entries(plain)) checkUser(user, password)
  return { ...options, plain: plainUsers(plain) }
}

/** Apart from the rules: what those refuse they show, and a password is not for showing. */
const checkUser = (user: string, password: unknown): void => {
  if (user !== '' && typeof password === 'string' && password !== '') return
  throw new OttlaError(
    'INVALID_ARGUMENT',
    `Option plain of sasl has no usable password for the user ${JSON.stringify(user)}; expected a name and a text, neither of them empty.`,
    { details: { user } },
  )
}

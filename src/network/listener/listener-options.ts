/** How a listener is made: its options, their defaults, and what is refused. */
import type { AuthorizerSettings } from '../../broker/authorizer/access.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import {
  booleanOption,
  checkOptions,
  customOption,
  integerOption,
  textOption,
  type Checked,
} from '../../runtime/options.js'
import type { TlsOptions } from '../../runtime/sockets.js'
import { checkSaslOptions, type CheckedSaslOptions, type SaslOptions } from './sasl/sasl-options.js'

/** What of a listener's address clients are told otherwise. */
export interface AdvertisedOptions {
  /** A host name or address; default the one that the listener is bound to. */
  readonly host?: string
  /** A port; default the one that the listener is bound to. */
  readonly port?: number
}

/** How it is decided what clients may do: by the ACLs that `admin.createAcls` has made, as Kafka's StandardAuthorizer does. */
export interface AuthorizerOptions {
  /** Who may do everything, for instance `['User:admin']` (`super.users`); default nobody. */
  readonly superUsers?: readonly string[]
  /** Whether what no ACL is for is allowed to everybody (`allow.everyone.if.no.acl.found`); default false, as in Kafka. */
  readonly allowEveryoneIfNoAclFound?: boolean
}

/** How to listen for Kafka clients. */
export interface ListenerOptions {
  /** What the listener is called, as in Kafka's `listeners`; default its security protocol: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT`, `SASL_SSL`. */
  readonly name?: string
  /** The address to listen on; default `127.0.0.1`, which only this machine reaches. */
  readonly host?: string
  /** The port to listen on; 0, the default, takes one that is free. */
  readonly port?: number
  /**
   * The path of a Unix socket, in place of `host` and `port`: for clients of this machine that can be told how to
   * connect. The file that a process has left there that is gone is replaced.
   */
  readonly path?: string
  /** Who may connect to the Unix socket, as the mode of its file; default `0o600`, this user alone. */
  readonly pathMode?: number
  /**
   * What clients are told to connect to, where that is not what the listener is bound to: behind a proxy or in a
   * container.
   */
  readonly advertised?: AdvertisedOptions
  /** Certificate and key: clients then have to use TLS (`security.protocol=SSL`). */
  readonly tls?: TlsOptions
  /** How clients authenticate; left out, whoever reaches the listener may use it. */
  readonly sasl?: SaslOptions
  /** What clients may do, by ACLs; left out, they may do everything. Clients in this process always may. */
  readonly authorizer?: AuthorizerOptions
  /**
   * Allows another address than this machine's without TLS, or without a way to know the clients (`sasl`, or certificates
   * that `tls` requires of them): whoever reaches it, or is on the way to it, reads and writes all there is.
   */
  readonly insecure?: boolean
  /** How many connections may be open; further ones are closed at once. Default 1,000 (Kafka: unlimited). */
  readonly maxConnections?: number
  /** The largest request, in bytes; a larger one closes its connection. Default 104,857,600, as in Kafka. */
  readonly socketRequestMaxBytes?: number
  /** How many bytes of requests may be worked on at once, over all connections. Default 256 MiB (Kafka: unlimited). */
  readonly queuedMaxRequestBytes?: number
  /** After how many milliseconds without a request a connection is closed. Default 600,000, as in Kafka. */
  readonly connectionsMaxIdleMs?: number
}

const isObject = (value: unknown): value is { readonly cert?: unknown; readonly key?: unknown } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isPem = (value: unknown): boolean =>
  (typeof value === 'string' && value.length > 0) || value instanceof Uint8Array

const RULES = {
  name: textOption<string | undefined>(undefined),
  host: textOption('127.0.0.1'),
  port: integerOption(0, 0, 65_535),
  path: textOption<string | undefined>(undefined),
  pathMode: customOption<number | undefined>(
    undefined,
    'a mode from 0 to 0o777',
    (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= 0o777,
  ),
  advertised: customOption<ListenerOptions['advertised']>(
    undefined,
    'an object with host, port or both',
    isObject,
  ),
  tls: customOption<TlsOptions | undefined>(
    undefined,
    'an object with cert and key in PEM',
    (value) => isObject(value) && isPem(value.cert) && isPem(value.key),
  ),
  sasl: customOption<SaslOptions | undefined>(
    undefined,
    'an object with plain, scram or oauthbearer',
    isObject,
  ),
  authorizer: customOption<AuthorizerOptions | undefined>(
    undefined,
    'an object with superUsers, allowEveryoneIfNoAclFound, both or neither',
    isObject,
  ),
  insecure: booleanOption(false),
  maxConnections: integerOption(1000, 1),
  socketRequestMaxBytes: integerOption(104_857_600, 1024, 0x7fff_ffff),
  queuedMaxRequestBytes: integerOption(256 * 1024 * 1024, 1024),
  connectionsMaxIdleMs: integerOption(600_000, 1),
}

const AUTHORIZER_RULES = {
  superUsers: customOption<readonly string[]>(
    [],
    "a list of principals, for instance ['User:admin']",
    (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && /^[^:]+:./.test(one)),
  ),
  allowEveryoneIfNoAclFound: booleanOption(false),
}

const ADVERTISED_RULES = {
  host: textOption<string | undefined>(undefined),
  port: customOption<number | undefined>(
    undefined,
    'a whole number from 1 to 65535',
    (value) => Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= 65_535,
  ),
}

/** Options that are complete and fit together. */
export type CheckedListenerOptions = Omit<Checked<typeof RULES>, 'name' | 'sasl' | 'authorizer'> & {
  readonly name: string
  readonly sasl: CheckedSaslOptions | undefined
  readonly authorizer: AuthorizerSettings | undefined
  readonly advertisedHost: string | undefined
  readonly advertisedPort: number | undefined
}

/** What a Unix socket has no use for, and what is for nothing else. */
const assertFitting = ({ path, host, port, pathMode }: ListenerOptions): void => {
  if (path === undefined) {
    if (pathMode === undefined) return
    throw new OttlaError(
      'INVALID_ARGUMENT',
      'Option pathMode of listen is for a Unix socket; expected path with it.',
    )
  }
  if (host === undefined && port === undefined) return
  const named = host === undefined ? 'port' : 'host'
  throw new OttlaError(
    'INVALID_ARGUMENT',
    `Option ${named} of listen is given beside path; expected a Unix socket, or a host and a port.`,
    { details: { path, host, port } },
  )
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkListenerOptions = (given: ListenerOptions | undefined): CheckedListenerOptions => {
  const options = checkOptions('listen', RULES, given)
  assertFitting(given ?? {})
  const advertised = checkOptions('advertised', ADVERTISED_RULES, options.advertised)
  const { path, host, tls, insecure } = options
  const sasl = options.sasl === undefined ? undefined : checkSaslOptions(options.sasl)
  if (path === undefined && !isLoopback(host) && !insecure) {
    if (tls === undefined) throw reachable(host, 'there is no tls', 'tls')
    if (sasl === undefined && tls.requireClientCertificate !== true)
      throw reachable(host, 'nothing says who may connect', 'sasl, tls with requireClientCertificate')
  }
  const protocol = tls === undefined ? 'PLAINTEXT' : 'SSL'
  return {
    ...options,
    pathMode: path === undefined ? undefined : (options.pathMode ?? 0o600),
    name: options.name ?? (sasl === undefined ? protocol : `SASL_${protocol}`),
    sasl,
    authorizer: options.authorizer === undefined ? undefined : checkAuthorizer(options.authorizer),
    advertisedHost: advertised.host,
    advertisedPort: advertised.port,
  }
}

const checkAuthorizer = (given: AuthorizerOptions): AuthorizerSettings => {
  const { superUsers, ...settings } = checkOptions('authorizer', AUTHORIZER_RULES, given)
  return { ...settings, superUsers: new Set(superUsers) }
}

const reachable = (host: string, missing: string, expected: string): OttlaError =>
  new OttlaError(
    'INVALID_ARGUMENT',
    `Option host of listen is ${JSON.stringify(host)}, which other machines may reach, and ${missing}; expected a loopback address, ${expected}, or insecure: true.`,
    { details: { host } },
  )

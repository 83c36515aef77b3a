/** What `ottla serve` is to do: complete, and of a piece. */
import { invalidArgument, OttlaError } from '../runtime/errors/ottla-error.js'
import type { LogStyle } from './log.js'
import type { ConfigPairs, GivenOptions } from './options.js'
import type { SaslSettings } from './sasl.js'

/** An address; port 0 is one that is free. */
interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** A listener to be opened. */
export interface ListenerSettings extends HostAndPort {
  /** As on the command line, for messages. */
  readonly given: string
  readonly isTls: boolean
  readonly isSasl: boolean
  /** Without a port: the one that is listened on. */
  readonly advertised: { readonly host: string; readonly port?: number } | undefined
}

/** The files that TLS needs. */
export interface TlsFiles {
  readonly cert: string
  readonly key: string
  readonly ca: string | undefined
  readonly requireClientCertificate: boolean
}

/** What to serve, and where. */
export interface ServeSettings {
  /** The folder of the log; undefined for memory. */
  readonly data: string | undefined
  readonly storage: 'level' | 'file'
  readonly durability: 'os' | 'fsync'
  readonly listeners: readonly ListenerSettings[]
  readonly tls: TlsFiles | undefined
  readonly sasl: SaslSettings | undefined
  /** Who may do everything, where ACLs say what clients may do; undefined where all may. */
  readonly superUsers: readonly string[] | undefined
  /** Whether a listener that does not know its clients, or is without TLS, may be reached by other machines. */
  readonly isInsecure: boolean
  readonly topics: readonly { readonly name: string; readonly partitions: number | undefined }[]
  readonly configs: ConfigPairs
}

const DEFAULT_LISTEN = '127.0.0.1:9092'
const LARGEST_PORT = 65_535
/** What stands for all of them, and is no address to connect to. */
const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/**
 * Puts together what was given.
 * @throws OttlaError INVALID_ARGUMENT for what does not fit together, and for an address or a topic that is none.
 */
export const settingsOf = (given: GivenOptions): ServeSettings => {
  assertFitting(given)
  const tls = tlsFilesOf(given)
  const sasl = saslOf(given)
  return {
    data: given.data,
    storage: given.storage ?? 'level',
    durability: given.durability ?? 'os',
    listeners: listenersOf(given, tls !== undefined, sasl !== undefined),
    tls,
    sasl,
    superUsers: given['super-user']?.map(principalOf),
    isInsecure: given.insecure ?? false,
    topics: (given.topic ?? []).map(topicOf),
    configs: given.set ?? {},
  }
}

/** How the log speaks. */
export const logStyleOf = ({ json, quiet, verbose }: GivenOptions): LogStyle => ({
  isJson: json ?? false,
  level: quiet === true ? 'warn' : verbose === true ? 'debug' : 'info',
})

const refuse = (message: string): never => {
  throw new OttlaError('INVALID_ARGUMENT', message)
}

const assertFitting = (given: GivenOptions): void => {
  const { memory, data, storage, durability, quiet, verbose } = given
  if (memory === true && data !== undefined)
    refuse(`--memory and --data ${data} exclude each other: the log is in memory or in a folder.`)
  if (data === undefined && storage !== undefined)
    refuse(`--storage ${storage} says how a folder is kept; name it with --data.`)
  if (data === undefined && durability === 'fsync')
    refuse('--durability fsync needs a folder to flush to; name it with --data.')
  if (quiet === true && verbose === true) refuse('--quiet and --verbose exclude each other.')
}

const tlsFilesOf = (given: GivenOptions): TlsFiles | undefined => {
  const { 'tls-cert': cert, 'tls-key': key, 'tls-ca': ca } = given
  const requireClientCertificate = given['require-client-certificate'] ?? false
  if (requireClientCertificate && ca === undefined)
    refuse('--require-client-certificate needs --tls-ca: who signs the certificates of clients.')
  if (cert !== undefined && key !== undefined) return { cert, key, ca, requireClientCertificate }
  if (cert !== undefined) refuse(`--tls-cert ${cert} needs --tls-key: the private key of the certificate.`)
  if (key !== undefined) refuse(`--tls-key ${key} needs --tls-cert: the certificate of the key.`)
  if (ca !== undefined) refuse(`--tls-ca ${ca} needs --tls-cert and --tls-key: clients connect without TLS.`)
  return undefined
}

const saslOf = ({ sasl, 'sasl-users': users }: GivenOptions): SaslSettings | undefined => {
  if (sasl === undefined || sasl.length === 0)
    return users === undefined
      ? undefined
      : refuse(`--sasl-users ${users} needs --sasl: by what they authenticate.`)
  if (sasl.includes('PLAIN') && users === undefined)
    refuse('--sasl PLAIN needs --sasl-users: the file with the passwords of its users.')
  return { mechanisms: sasl, users }
}

const listenersOf = (given: GivenOptions, hasTls: boolean, hasSasl: boolean): readonly ListenerSettings[] => {
  const listen = given.listen ?? [DEFAULT_LISTEN]
  const advertise = given.advertise ?? []
  if (advertise.length > 0 && advertise.length !== listen.length)
    refuse(
      `--advertise is given ${advertise.length} times, and there are ${listen.length} addresses to listen on; expected one for each, in their order.`,
    )
  return listen.map((text, index) => {
    const [, prefix, address] = /^(?:((?:SASL_)?(?:PLAINTEXT|SSL)):\/\/)?(.*)$/is.exec(text) ?? []
    const protocol = prefix?.toUpperCase()
    const isTls = protocol?.endsWith('SSL') ?? hasTls
    const isSasl = protocol?.startsWith('SASL_') ?? hasSasl
    if (isTls && !hasTls)
      refuse(`--listen ${text} asks for TLS; name the certificate with --tls-cert and --tls-key.`)
    if (isSasl && !hasSasl) refuse(`--listen ${text} asks for SASL; name a mechanism with --sasl.`)
    const { host, port } = addressOf('--listen', address ?? '', text)
    const told = advertise[index]
    if (told === undefined && EVERY_ADDRESS.has(host))
      refuse(
        `--listen ${text} is every address of this machine, and clients have to be told one; name it with --advertise HOST:PORT.`,
      )
    return {
      given: text,
      host,
      port,
      isTls,
      isSasl,
      advertised: told === undefined ? undefined : advertisedOf(told),
    }
  })
}

const advertisedOf = (text: string): ListenerSettings['advertised'] => {
  const { host, port } = addressOf('--advertise', text, text)
  return port === 0 ? { host } : { host, port }
}

const addressOf = (option: string, address: string, given: string): HostAndPort => {
  const [, inBrackets, plain, digits] = /^(?:\[([\da-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(address) ?? []
  const host = inBrackets ?? plain
  const port = Number(digits)
  if (host === undefined || port > LARGEST_PORT)
    throw invalidArgument(
      option,
      given,
      `HOST:PORT with a port from 0 to ${LARGEST_PORT}, for instance 127.0.0.1:9092 or [::1]:9092`,
    )
  return { host, port }
}

const principalOf = (text: string): string => {
  if (!/^[^:]+:./.test(text))
    throw invalidArgument('--super-user', text, 'TYPE:NAME, for instance User:admin')
  return text
}

/** The name is the broker's to judge; a colon is in none. */
const topicOf = (text: string): ServeSettings['topics'][number] => {
  const [, name, digits] = /^([^:]+)(?::(\d{1,9}))?$/.exec(text) ?? []
  const partitions = digits === undefined ? undefined : Number(digits)
  if (name === undefined || partitions === 0)
    throw invalidArgument('--topic', text, 'NAME or NAME:PARTITIONS, for instance orders:3')
  return { name, partitions }
}

/**
 * The options of `ottla serve`, each described once: the command line, its help and the config file follow from this
 * table.
 */
import { Option } from 'commander'
import { customOption, type Checked, type OptionRule } from '../runtime/options.js'
import { invalidArgument } from '../runtime/errors/ottla-error.js'
import { SASL_MECHANISMS } from './sasl.js'

/** An option under its long name: how the command line reads it, and what a config file may say. */
interface ServeOption<T> {
  readonly option: Option
  /** The rule for its value in a config file. */
  readonly rule: OptionRule<T | undefined>
}

/** Broker configs by name. */
export type ConfigPairs = Readonly<Record<string, string | number | boolean>>

const flag = (flags: string, group: string, help: string): ServeOption<boolean> => ({
  option: new Option(flags, help).helpGroup(group),
  rule: customOption<boolean | undefined>(undefined, 'true or false', (value) => typeof value === 'boolean'),
})

const text = (flags: string, group: string, help: string): ServeOption<string> => ({
  option: new Option(flags, help).helpGroup(group),
  rule: customOption<string | undefined>(
    undefined,
    'a text that is not empty',
    (value) => typeof value === 'string' && value !== '',
  ),
})

const choice = <const T extends string>(
  flags: string,
  group: string,
  choices: readonly T[],
  help: string,
): ServeOption<T> => ({
  option: new Option(flags, help).helpGroup(group).choices(choices),
  rule: customOption<T | undefined>(
    undefined,
    `one of ${choices.map((name) => JSON.stringify(name)).join(', ')}`,
    (value) => (choices as readonly unknown[]).includes(value),
  ),
})

const list = (flags: string, group: string, help: string): ServeOption<readonly string[]> => ({
  option: new Option(flags, help)
    .helpGroup(group)
    .argParser<readonly string[] | undefined>((value, before) => [...(before ?? []), value]),
  rule: customOption<readonly string[] | undefined>(
    undefined,
    'a list of texts',
    (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  ),
})

const choices = <const T extends string>(
  flags: string,
  group: string,
  known: readonly T[],
  help: string,
): ServeOption<readonly T[]> => ({
  option: new Option(flags, help)
    .helpGroup(group)
    .argParser<readonly string[] | undefined>((value, before) => [...(before ?? []), value]),
  rule: customOption<readonly T[] | undefined>(
    undefined,
    `a list of ${known.join(', ')}`,
    (value) => Array.isArray(value) && value.every((item) => (known as readonly unknown[]).includes(item)),
  ),
})

const pairs = (flags: string, group: string, help: string): ServeOption<ConfigPairs> => ({
  option: new Option(flags, help).helpGroup(group).argParser<ConfigPairs | undefined>((value, before) => {
    const at = value.indexOf('=')
    if (at < 1) throw invalidArgument('--set', value, 'NAME=VALUE, for instance num.partitions=3')
    return { ...before, [value.slice(0, at)]: value.slice(at + 1) }
  }),
  rule: customOption<ConfigPairs | undefined>(
    undefined,
    'an object of texts, numbers, true and false',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every((one) => ['string', 'number', 'boolean'].includes(typeof one)),
  ),
})

const LOG = 'Where the log is:'
const CLIENTS = 'Where clients connect:'
const TLS = 'TLS, for every listener that does not say otherwise:'
const SASL = 'Who may connect, for every listener that does not say otherwise:'
const BROKER = 'What the broker has:'
const SAID = 'What is said:'

/** Every option that a config file knows too, by its long name. */
export const SERVE_OPTIONS = {
  memory: flag('--memory', LOG, 'keep all of it in memory, gone at the end (the default)'),
  data: text('--data <dir>', LOG, 'keep it in this folder; made if missing'),
  storage: choice(
    '--storage <kind>',
    LOG,
    ['level', 'file'],
    'how --data is kept: level (the default), a LevelDB; file, segment files as Kafka has them',
  ),
  durability: choice(
    '--durability <kind>',
    LOG,
    ['os', 'fsync'],
    'what an acknowledged record survives: os (the default), the death of the process; fsync, a power failure too',
  ),
  listen: list(
    '--listen <host:port>',
    CLIENTS,
    'listen here (default 127.0.0.1:9092); port 0 takes a free one; PLAINTEXT://, SSL://, SASL_PLAINTEXT:// or SASL_SSL:// before it says which; may be given several times',
  ),
  advertise: list(
    '--advertise <host:port>',
    CLIENTS,
    'what clients are told to connect to, behind a proxy or in a container; port 0 is the one listened on; one for each --listen, in their order',
  ),
  insecure: flag(
    '--insecure',
    CLIENTS,
    'let other machines in without TLS, or without a way to know them: they read and write all there is',
  ),
  'tls-cert': text('--tls-cert <file>', TLS, 'the certificate chain, in PEM'),
  'tls-key': text('--tls-key <file>', TLS, 'its private key, in PEM'),
  'tls-ca': text('--tls-ca <file>', TLS, 'who signs the certificates of clients, in PEM'),
  'require-client-certificate': flag(
    '--require-client-certificate',
    TLS,
    'turn away clients without a certificate that --tls-ca signed',
  ),
  sasl: choices(
    '--sasl <mechanism>',
    SASL,
    SASL_MECHANISMS,
    `clients authenticate by this: ${SASL_MECHANISMS.join(', ')}; may be given several times`,
  ),
  'sasl-users': text(
    '--sasl-users <file>',
    SASL,
    'their users, a JSON object of passwords by user; those of SCRAM are kept in the log, and stay there',
  ),
  'super-user': list(
    '--super-user <principal>',
    SASL,
    'ACLs say what clients may do, and this one, for instance User:admin, may do everything; may be given several times',
  ),
  topic: list(
    '--topic <name[:partitions]>',
    BROKER,
    'have this topic, created if it is not there; may be given several times',
  ),
  set: pairs(
    '--set <name=value>',
    BROKER,
    "a broker config under Kafka's name, for instance num.partitions=3; may be given several times",
  ),
  json: flag('--json', SAID, 'every line is a JSON object'),
  quiet: flag('-q, --quiet', SAID, 'only the line that says ready, warnings and errors'),
  verbose: flag('-v, --verbose', SAID, 'also groups, and what retention drops'),
} as const satisfies Record<string, ServeOption<unknown>>

type ServeOptionName = keyof typeof SERVE_OPTIONS

/** What was given, by long names; what was not is undefined. */
export type GivenOptions = Checked<{ [K in ServeOptionName]: (typeof SERVE_OPTIONS)[K]['rule'] }>

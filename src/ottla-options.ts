/** How an Ottla is opened and topics are created: the options, and the rules that check them. */
import { bytes } from './clients/serdes/bytes.js'
import { isSerde, type Serde } from './clients/serdes/serde.js'
import type { Tracing } from './clients/tracing/tracing.js'
import type { DiskPolicy } from './log/disk-budget.js'
import { systemClock, type Clock } from './runtime/clock.js'
import { invalidArgument } from './runtime/errors/ottla-error.js'
import { harmless, type Logger } from './runtime/logger.js'
import {
  checkOptions,
  choiceOption,
  customOption,
  signalOption,
  textOption,
  type Checked,
} from './runtime/options.js'
import { systemRandom, type Random } from './runtime/random.js'
import type { Durability, LogStorage } from './storage/contract.js'

/** Settings by Kafka's dotted names, e.g. `{ 'retention.ms': 86_400_000 }`. */
export type Configs = Readonly<Record<string, string | number | boolean>>

/** How to open an Ottla. All of it is optional: with nothing given it lives in memory. */
export interface OttlaOptions {
  /** The folder that holds the log, kept by LevelDB; made if missing. Left out: all is in memory, and gone at close. */
  readonly location?: string
  /** A storage of your own in place of `location`, one that passes `ottla/storage/test-suite`. It is closed with the Ottla. */
  readonly storage?: LogStorage
  /**
   * When an acknowledged record is safe: `'os'` (the default, as in Kafka) survives the death of the process,
   * `'fsync'` also survives a power failure, and costs a flush of the disk per group of writes.
   */
  readonly durability?: Durability
  /**
   * The disk budget: how many bytes the records of all topics may take together; default without limit. What the
   * storage needs besides, for indexes and what it has not yet given back, is not counted.
   */
  readonly maxDiskBytes?: number
  /**
   * What happens when `maxDiskBytes` is used up: `'refuse'` (the default) refuses to append, `'drop-oldest'` drops the
   * oldest records of the topics with the lowest `ottla.disk.priority`.
   */
  readonly diskPolicy?: DiskPolicy
  /** Broker settings by Kafka's dotted names, e.g. `{ 'num.partitions': 3 }`. */
  readonly configs?: Configs
  /** What this application is called in requests; default `ottla`. */
  readonly clientId?: string
  /**
   * Where log lines go: a pino logger, `console`, or anything with `debug`, `info`, `warn` and `error` that take an
   * object and a text. Default nowhere. What is in records is never in a line.
   */
  readonly logger?: Logger
  /**
   * Traces what is sent and processed: the module `@opentelemetry/api`, or what looks like it. A send is a span, whose
   * trace goes along in the headers of its records (`traceparent`); a call of a handler of `run` is a span that continues
   * it, and is active during the call. A `for await` loop has no spans. Default none, which costs nothing.
   */
  readonly tracing?: Tracing
  /** Where time comes from; default the machine's clock. */
  readonly clock?: Clock
  /** Where randomness comes from; default the platform's. */
  readonly random?: Random
}

/** What `Ottla.repair` repairs, and where it keeps what it cuts off. */
export interface RepairOptions {
  /** Only this topic; default all but the metadata log. */
  readonly topic?: string
  /** Only this partition; default all. */
  readonly partition?: number
  /** The folder for what is cut off; default beside the log's own, with `-cut-off` behind its name. */
  readonly keepAt?: string
  /** Gives up; what was repaired by then stays repaired. */
  readonly signal?: AbortSignal
}

/** How to create a topic. */
export interface CreateTopicOptions<K, V> {
  /** How many partitions; default the broker's `num.partitions` (1). */
  readonly partitions?: number
  /** How keys become bytes; default `bytes`. */
  readonly key?: Serde<K>
  /** How values become bytes; default `bytes`. */
  readonly value?: Serde<V>
  /** Topic settings by Kafka's dotted names, e.g. `{ 'retention.ms': 86_400_000 }`. */
  readonly configs?: Configs
  /** Gives up waiting. */
  readonly signal?: AbortSignal
}

/** The serdes of a topic that exists. */
export type TopicOptions<K, V> = Pick<CreateTopicOptions<K, V>, 'key' | 'value' | 'signal'>

const hasMethods = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => typeof (value as Readonly<Record<string, unknown>>)[name] === 'function')

const isConfigs = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isTracing = (value: unknown): boolean => {
  const { trace, context, propagation } = (value ?? {}) as Readonly<Record<string, unknown>>
  return (
    hasMethods(trace, 'getTracer', 'setSpan', 'getSpanContext') &&
    hasMethods(context, 'active', 'with') &&
    hasMethods(propagation, 'fields', 'inject', 'extract')
  )
}

const OPEN_RULES = {
  location: textOption<string | undefined>(undefined),
  storage: customOption<LogStorage | undefined>(undefined, 'a LogStorage', (value) =>
    hasMethods(value, 'open', 'close', 'partition'),
  ),
  durability: choiceOption<Durability>('os', ['os', 'fsync']),
  maxDiskBytes: customOption<number | undefined>(
    undefined,
    'a whole number of bytes, at least 1',
    (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  ),
  diskPolicy: choiceOption<DiskPolicy>('refuse', ['refuse', 'drop-oldest']),
  configs: customOption<Configs>({}, 'an object of broker configs', isConfigs),
  clientId: textOption('ottla'),
  clock: customOption<Clock>(systemClock, 'a Clock', (value) =>
    hasMethods(value, 'now', 'monotonic', 'schedule', 'defer'),
  ),
  logger: customOption<Logger | undefined>(undefined, 'a logger with debug, info, warn and error', (value) =>
    hasMethods(value, 'debug', 'info', 'warn', 'error'),
  ),
  tracing: customOption<Tracing | undefined>(
    undefined,
    "OpenTelemetry's trace, context and propagation",
    isTracing,
  ),
  random: customOption<Random>(systemRandom, 'a Random', (value) => hasMethods(value, 'next', 'bytes')),
}

const TOPIC_RULES = {
  partitions: customOption<number | undefined>(
    undefined,
    'a whole number of at least 1',
    (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  ),
  key: customOption<Serde<unknown>>(bytes, 'a serde', isSerde),
  value: customOption<Serde<unknown>>(bytes, 'a serde', isSerde),
  configs: customOption<Configs>({}, 'an object of topic configs', isConfigs),
  signal: signalOption,
}

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkOpenOptions = (
  given: string | OttlaOptions | undefined,
  more?: OttlaOptions,
): Checked<typeof OPEN_RULES> => {
  const isLocation = typeof given === 'string'
  if (more !== undefined && !isLocation) {
    throw invalidArgument('The first argument of Ottla.open', given, 'a folder when options follow it')
  }
  if (more?.location !== undefined) {
    throw invalidArgument(
      'Option location of Ottla.open',
      more.location,
      'the folder as first argument alone',
    )
  }
  const options = checkOptions('Ottla.open', OPEN_RULES, isLocation ? { ...more, location: given } : given)
  if (options.location !== undefined && options.storage !== undefined) {
    throw invalidArgument(
      'Option location of Ottla.open',
      options.location,
      'either location or storage, not both',
    )
  }
  const durability = options.storage?.capabilities.durability
  const isWeaker = options.location === undefined && durability !== 'fsync'
  if (options.durability === 'fsync' && isWeaker) {
    throw invalidArgument(
      'Option durability of Ottla.open',
      'fsync',
      "'os', or a location on disk: memory has nothing to flush",
    )
  }
  return {
    ...options,
    configs: brokerConfigsOf(options),
    logger: options.logger && harmless(options.logger),
  }
}

/** Options that are broker configs too, by their names there; as options they come first. */
const brokerConfigsOf = ({
  configs,
  maxDiskBytes,
  diskPolicy,
}: Pick<Checked<typeof OPEN_RULES>, 'configs' | 'maxDiskBytes' | 'diskPolicy'>): Configs => ({
  ...configs,
  ...(maxDiskBytes === undefined ? {} : { 'ottla.disk.max.bytes': maxDiskBytes }),
  ...(diskPolicy === 'refuse' ? {} : { 'ottla.disk.policy': diskPolicy }),
})

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkTopicOptions = (owner: string, given: object | undefined): Checked<typeof TOPIC_RULES> =>
  checkOptions(owner, TOPIC_RULES, given)

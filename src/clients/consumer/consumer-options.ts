/** A consumer's options, under Kafka's names: those of every consumer, those of a group's member, and those of `assign`. */
import { invalidArgument, OttlaError } from '../../runtime/errors/ottla-error.js'
import {
  booleanOption,
  checkOptions,
  choiceOption,
  customOption,
  integerOption,
  textOption,
  type Checked,
} from '../../runtime/options.js'
import { isAssignor, rebalanceProtocolOf, type Assignor } from '../group/assignor.js'
import { rangeAssignor } from '../group/range-assignor.js'
import type { TopicPartition } from '../message.js'
import { isAutoOffsetReset, type AutoOffsetReset } from './auto-offset-reset.js'
import { isOffsetStore, type OffsetStore } from './offset-store.js'
import type { RebalanceListener } from './rebalance-callbacks.js'
import { Topic, type AnyTopic, type PartitionPosition } from '../topic.js'

/** How every consumer reads. Sources: Kafka's consumer configs, KIP-41, KIP-62, KIP-98. */
export interface ReadingOptions {
  /**
   * Where to begin when the group has committed nothing, and when a position is out of range: `'earliest'`,
   * `'latest'`, `{ byDurationMs }` or `'by_duration:PT1H'` for that long ago, or `'none'` for an error. Default
   * `'earliest'`, unlike Kafka's `latest`: what was produced before a group's first member joined is then seen and not
   * skipped in silence.
   */
  readonly autoOffsetReset?: AutoOffsetReset
  /** Whether processed positions are committed at an interval, on close and before a rebalance. Default true. */
  readonly enableAutoCommit?: boolean
  /** How often they are, in milliseconds. Default 5000. */
  readonly autoCommitIntervalMs?: number
  /**
   * `'at-least-once'` commits what was processed, so that after a crash some is delivered again; `'at-most-once'`
   * commits before it hands out, up to `maxPollRecords` at a time, so that after a crash some is not delivered at
   * all. Default `'at-least-once'`.
   */
  readonly delivery?: 'at-least-once' | 'at-most-once'
  /** A fetch waits until there are this many bytes, or fetchMaxWaitMs is over. Default 1. */
  readonly fetchMinBytes?: number
  /** How long a fetch waits for fetchMinBytes, in milliseconds. Default 500. */
  readonly fetchMaxWaitMs?: number
  /** The most bytes of one fetch; a first batch that is larger comes all the same. Default 52428800. */
  readonly fetchMaxBytes?: number
  /** The most bytes of one partition in a fetch; a first batch that is larger comes all the same. Default 1048576. */
  readonly maxPartitionFetchBytes?: number
  /** The most messages that `eachBatch` gets at once, and that are decoded ahead of a loop. Default 500. */
  readonly maxPollRecords?: number
  /**
   * The most bytes that are fetched and not yet handed out, over all partitions; a first batch that is larger comes
   * all the same. Default 16777216.
   */
  readonly maxPrefetchBytes?: number
  /**
   * `'read_committed'` leaves out what transactions have not committed, and waits for those that are open.
   * Default `'read_uncommitted'`.
   */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed'
  /** The first wait before a failed request is sent again, in milliseconds; it doubles, with jitter. Default 100. */
  readonly retryBackoffMs?: number
  /** The longest such wait, in milliseconds. Default 1000. */
  readonly retryBackoffMaxMs?: number
}

/** How a member of a group behaves. */
export interface GroupConsumerOptions extends ReadingOptions {
  /** What the application does when partitions come and go; default nothing. */
  readonly rebalanceListener?: RebalanceListener
  /** A member that was not heard of for this long is out, in milliseconds; brokers set bounds. Default 45000. */
  readonly sessionTimeoutMs?: number
  /**
   * The longest wait between two heartbeats, in milliseconds; right after a rebalance they are more frequent. It is
   * how long it takes a member to notice that another one joined or left. Default 500 (Kafka: 3000), since in process
   * a heartbeat costs next to nothing.
   */
  readonly heartbeatIntervalMs?: number
  /**
   * How long the application may take from one message (or batch) to asking for the next, in milliseconds. A consumer
   * that takes longer leaves its group, so that others go on, and comes back when it asks again. It is also how long
   * a rebalance waits for the turn under way. Default 300000.
   */
  readonly maxPollIntervalMs?: number
  /**
   * Makes it a static member of this name (KIP-345): it does not leave its group when it closes, and when one of the
   * same name joins within sessionTimeoutMs, that has its partitions at once, without a rebalance; so does a process
   * that is restarted. Each member needs a name of its own, of ASCII letters, digits, `.`, `_` and `-`, at most 249:
   * of two with the same name, the one that came first fails with FENCED_INSTANCE_ID. Default: none.
   */
  readonly groupInstanceId?: string
  /**
   * How the group's leader may share partitions, in the order of preference; members have to have one in common. With
   * assignors that are all fit for cooperative rebalancing, such as {@link cooperativeStickyAssignor} alone, a member
   * goes on with its partitions during a rebalance, and gives up only those that are to move (KIP-429). A commit in
   * the moment between two generations is then refused with REBALANCE_IN_PROGRESS, although the partitions stay.
   * Default range.
   */
  readonly partitionAssigners?: readonly Assignor[]
  /**
   * Where the application keeps its offsets itself, beside what it makes of the records, which is exactly once with any
   * database that has transactions: see {@link OffsetStore}. The group's own offsets are neither read nor committed
   * then, unless `commit()` is called, for tools to see how far it is; enableAutoCommit is false. Default: none.
   */
  readonly offsetStore?: OffsetStore
}

/** A partition handle of a topic of type `T`. */
export interface AssignablePartition<T> extends TopicPartition {
  /** The handle of its topic. */
  topicHandle(): T
}

/** A consumer of partitions of the application's choosing. */
export interface ConsumerOptions<T extends AnyTopic = AnyTopic> extends ReadingOptions {
  /** What to read: topics with all their partitions, or single partitions (`orders.partition(0)`). */
  readonly assign: readonly (T | AssignablePartition<T>)[]
  /**
   * Where to begin: an offset, a time or an end. Default: where the group stands if there is a `groupId`, otherwise
   * as autoOffsetReset says.
   */
  readonly from?: PartitionPosition
  /** Under which group positions are committed, without being a member of it. Default: none, so nothing is committed. */
  readonly groupId?: string
}

const MAX_INT32 = 0x7fffffff
const POSITION_EXPECTED = "an offset of at least 0, a Date, 'earliest' or 'latest'"

const READING_RULES = {
  autoOffsetReset: customOption<AutoOffsetReset>(
    'earliest',
    "'earliest', 'latest', 'none', { byDurationMs } with a whole number of at least 0, or 'by_duration:' and a duration such as PT1H",
    isAutoOffsetReset,
  ),
  enableAutoCommit: booleanOption(true),
  autoCommitIntervalMs: integerOption(5000, 1),
  delivery: choiceOption<'at-least-once' | 'at-most-once'>('at-least-once', [
    'at-least-once',
    'at-most-once',
  ]),
  fetchMinBytes: integerOption(1, 0, MAX_INT32),
  fetchMaxWaitMs: integerOption(500, 0, MAX_INT32),
  fetchMaxBytes: integerOption(52_428_800, 1, MAX_INT32),
  maxPartitionFetchBytes: integerOption(1_048_576, 1, MAX_INT32),
  maxPollRecords: integerOption(500, 1),
  maxPrefetchBytes: integerOption(16_777_216, 1),
  isolationLevel: choiceOption<'read_uncommitted' | 'read_committed'>('read_uncommitted', [
    'read_uncommitted',
    'read_committed',
  ]),
  retryBackoffMs: integerOption(100, 0),
  retryBackoffMaxMs: integerOption(1000, 0),
}

const CALLBACKS = new Set(['onPartitionsAssigned', 'onPartitionsRevoked', 'onPartitionsLost'])

const isRebalanceListener = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).every(([name, callback]) => CALLBACKS.has(name) && typeof callback === 'function')

const GROUP_RULES = {
  ...READING_RULES,
  sessionTimeoutMs: integerOption(45_000, 1, MAX_INT32),
  heartbeatIntervalMs: integerOption(500, 1),
  maxPollIntervalMs: integerOption(300_000, 1, MAX_INT32),
  rebalanceListener: customOption<RebalanceListener>(
    {},
    'an object with functions onPartitionsAssigned, onPartitionsRevoked and onPartitionsLost, or some of them',
    isRebalanceListener,
  ),
  offsetStore: customOption<OffsetStore | undefined>(
    undefined,
    'an object with a method load',
    isOffsetStore,
  ),
  groupInstanceId: customOption<string | undefined>(
    undefined,
    "a text of 1 to 249 ASCII letters, digits, '.', '_' and '-', but not '.' or '..'",
    (value) =>
      typeof value === 'string' && /^[a-zA-Z0-9._-]{1,249}$/.test(value) && value !== '.' && value !== '..',
  ),
  partitionAssigners: customOption<readonly Assignor[]>(
    [rangeAssignor],
    'a list of at least one assignor, each with a name and an assign method',
    (value) => Array.isArray(value) && value.length > 0 && value.every(isAssignor),
  ),
}

const isPosition = (value: unknown): boolean =>
  value === 'earliest' ||
  value === 'latest' ||
  (Number.isSafeInteger(value) && (value as number) >= 0) ||
  (value instanceof Date && Number.isFinite(value.getTime()))

/** Where in a partition to begin or to end. */
export const positionOption = customOption<PartitionPosition | undefined>(
  undefined,
  POSITION_EXPECTED,
  isPosition,
)

const isAssignable = (value: unknown): boolean =>
  value instanceof Topic ||
  (typeof value === 'object' && value !== null && 'topicHandle' in value && 'partition' in value)

const ASSIGN_RULES = {
  ...READING_RULES,
  assign: customOption<ConsumerOptions['assign']>(
    [],
    'a list of at least one topic or partition',
    (value) => Array.isArray(value) && value.length > 0 && value.every(isAssignable),
  ),
  from: positionOption,
  groupId: textOption<string | undefined>(undefined),
}

/** Reading options that were checked. */
export type CheckedReadingOptions = Checked<typeof READING_RULES>
/** A member's options that were checked. */
export type CheckedGroupOptions = Checked<typeof GROUP_RULES>
/** The options of `assign` that were checked. */
export type CheckedConsumerOptions = Checked<typeof ASSIGN_RULES>

/** The defaults. */
export const READING_DEFAULTS: CheckedReadingOptions = checkOptions('consumer', READING_RULES, {})

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkConsumerOptions = (options: ConsumerOptions): CheckedConsumerOptions => {
  const checked = checkOptions('consumer', ASSIGN_RULES, options)
  if (checked.assign.length === 0) {
    throw invalidArgument('Option assign of consumer', undefined, ASSIGN_RULES.assign.expected)
  }
  checkTogether(checked)
  if (checked.delivery === 'at-most-once' && checked.groupId === undefined) {
    throw invalidArgument(
      'Option delivery of consumer',
      checked.delivery,
      "'at-least-once' without a groupId",
    )
  }
  return checked
}

/** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
export const checkGroupOptions = (options: GroupConsumerOptions | undefined): CheckedGroupOptions => {
  const given = checkOptions('consumer group', GROUP_RULES, options)
  const checked =
    given.offsetStore === undefined
      ? given
      : { ...given, enableAutoCommit: options?.enableAutoCommit ?? false }
  if (checked.offsetStore !== undefined && checked.enableAutoCommit) {
    throw invalidArgument(
      'Option enableAutoCommit of consumer group',
      checked.enableAutoCommit,
      'false with an offsetStore, which has the offsets',
    )
  }
  checkTogether(checked)
  if (rebalanceProtocolOf(checked.partitionAssigners) === undefined) {
    throw invalidArgument(
      'Option partitionAssigners of consumer group',
      checked.partitionAssigners.map(({ name }) => name),
      'assignors that have a rebalance protocol in common, eager or cooperative',
    )
  }
  if (checked.heartbeatIntervalMs >= checked.sessionTimeoutMs) {
    throw invalidArgument(
      'Option heartbeatIntervalMs of consumer group',
      checked.heartbeatIntervalMs,
      `less than sessionTimeoutMs, ${checked.sessionTimeoutMs}`,
    )
  }
  return checked
}

const checkTogether = ({ delivery, enableAutoCommit }: CheckedReadingOptions): void => {
  if (delivery === 'at-most-once' && !enableAutoCommit) {
    throw invalidArgument(
      'Option enableAutoCommit of consumer',
      enableAutoCommit,
      "true with delivery 'at-most-once', which commits by itself",
    )
  }
}

/** @throws OttlaError INVALID_ARGUMENT when `value` is no position. */
export const checkPosition = (what: string, value: unknown): void => {
  if (!isPosition(value)) throw invalidArgument(what, value, POSITION_EXPECTED)
}

/** The error for a partition that the consumer does not have. */
export const notAssigned = (name: string, assigned: readonly string[]): OttlaError =>
  invalidArgument(
    'The partition',
    name,
    assigned.length === 0 ? 'one that is assigned; at the moment none is' : `one of ${assigned.join(', ')}`,
  )

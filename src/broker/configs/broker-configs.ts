/** The broker configs that work, under Kafka's names. Where a default differs from Kafka's, its doc says so. */
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import {
  decimal,
  fraction,
  oneOf,
  orderOf,
  parseConfigs,
  trueOrFalse,
  wholeNumber,
  type ConfigSchema,
  type ConfigValues,
} from './config-definition.js'
import { SYNONYM_DEFINITIONS } from './topic-configs.js'

const definitions = {
  ...SYNONYM_DEFINITIONS,
  'num.partitions': wholeNumber(
    'INT',
    '1',
    1,
    'How many partitions a topic has that is created without a number.',
  ),
  'auto.create.topics.enable': trueOrFalse(
    true,
    'Whether a topic that does not exist is created when a client asks for its metadata and allows it.',
  ),
  'log.retention.check.interval.ms': wholeNumber(
    'LONG',
    '300000',
    1,
    'How often retention looks for old records, in milliseconds.',
  ),
  'log.cleaner.enable': trueOrFalse(
    true,
    'Whether topics whose cleanup.policy has compact are compacted; without it they grow, __consumer_offsets too.',
  ),
  'log.cleaner.backoff.ms': wholeNumber(
    'LONG',
    '15000',
    0,
    'How long compaction waits before it looks again whether there is something to do, in milliseconds.',
  ),
  'log.cleaner.dedupe.buffer.size': wholeNumber(
    'LONG',
    '134217728',
    1_048_577,
    'How much memory the keys of one pass of compaction may take, in bytes, 24 for each; what does not fit is left to the next pass. No more is taken than a pass needs.',
  ),
  'log.cleaner.io.buffer.load.factor': fraction(
    '0.9',
    'How full that memory may become, from 0 to 1: the fuller, the longer a key is searched for.',
  ),
  'log.cleaner.io.buffer.size': wholeNumber(
    'INT',
    '4194304',
    0,
    'How many bytes of batches compaction holds in memory before they take the place of those that were there (Kafka: 524288).',
  ),
  'log.cleaner.io.max.bytes.per.second': decimal(
    '1.7976931348623157E308',
    'How much compaction may read and write in a second on average, in bytes.',
  ),
  'ottla.disk.max.bytes': wholeNumber(
    'LONG',
    '-1',
    -1,
    'The disk budget: how many bytes the batches of all topics may have together; -1 is without limit. Ottla only.',
  ),
  'ottla.disk.policy': oneOf(
    'STRING',
    ['refuse', 'drop-oldest'],
    'What happens when the disk budget is used up: refuse refuses to append, drop-oldest drops the oldest batches of the topics with the lowest ottla.disk.priority. Ottla only.',
  ),
  'fetch.max.bytes': wholeNumber(
    'INT',
    '57671680',
    1024,
    'The most bytes that one fetch returns, whatever the client asks for.',
  ),
  'group.min.session.timeout.ms': wholeNumber(
    'INT',
    '6000',
    1,
    'The shortest session timeout that a group member may ask for, in milliseconds.',
  ),
  'group.max.session.timeout.ms': wholeNumber(
    'INT',
    '1800000',
    1,
    'The longest session timeout that a group member may ask for, in milliseconds.',
  ),
  'group.initial.rebalance.delay.ms': wholeNumber(
    'INT',
    '0',
    0,
    'How long an empty group waits for more members before its first rebalance, in milliseconds (Kafka: 3000).',
  ),
  'group.max.size': wholeNumber(
    'INT',
    '1000',
    1,
    'The most members that a group may have (Kafka: 2147483647).',
  ),
  'group.coordinator.rebalance.protocols': orderOf(
    'classic,consumer',
    ['classic', 'consumer'],
    'The group protocols that members may speak (Kafka: share and streams too).',
  ),
  'group.consumer.session.timeout.ms': wholeNumber(
    'INT',
    '45000',
    1,
    'After how long without a heartbeat a member of a consumer group is out, in milliseconds.',
  ),
  'group.consumer.heartbeat.interval.ms': wholeNumber(
    'INT',
    '5000',
    1,
    'How often members of a consumer group are told to send a heartbeat, in milliseconds.',
  ),
  'group.consumer.max.size': wholeNumber(
    'INT',
    '1000',
    1,
    'The most members that a consumer group may have (Kafka: 2147483647).',
  ),
  'group.consumer.assignors': orderOf(
    'uniform,range',
    ['uniform', 'range'],
    'The assignors that members of consumer groups may vote for; the first is for groups where nobody votes.',
  ),
  'group.consumer.migration.policy': oneOf(
    'STRING',
    ['bidirectional', 'upgrade', 'downgrade', 'disabled'],
    'Whether a classic group with members becomes a consumer group when a member of that protocol joins (upgrade), and a classic one again when the last of them leaves (downgrade); bidirectional is both.',
  ),
  'group.consumer.assignment.interval.ms': wholeNumber(
    'INT',
    '0',
    0,
    'How long a consumer group waits after it was decided who gets what until that is decided anew, in milliseconds (Kafka: 1000).',
  ),
  'quota.window.num': wholeNumber(
    'INT',
    '11',
    1,
    'Over how many windows the rates are measured that quotas limit, the one that goes on included.',
    3600,
  ),
  'quota.window.size.seconds': wholeNumber(
    'INT',
    '1',
    1,
    'How long each of these windows lasts, in seconds.',
    3600,
  ),
  'offsets.topic.num.partitions': wholeNumber(
    'INT',
    '50',
    1,
    'How many partitions __consumer_offsets is created with.',
    10_000,
  ),
  'offsets.topic.segment.bytes': wholeNumber(
    'INT',
    '104857600',
    1_048_576,
    'The segment.bytes that __consumer_offsets is created with: what is compacted lies before the last segment (Kafka: at least 1).',
  ),
  'ottla.transaction.version': wholeNumber(
    'INT',
    '2',
    0,
    'The level of the feature transaction.version that clients are told: with 2 each transaction has an epoch of its own (KIP-890), below that they go on as before. Ottla only; Kafka keeps it in its metadata.',
    2,
  ),
  'transaction.max.timeout.ms': wholeNumber(
    'INT',
    '900000',
    1,
    'The longest time that a producer may ask for until a transaction of its is aborted, in milliseconds.',
  ),
  'transaction.state.log.num.partitions': wholeNumber(
    'INT',
    '50',
    1,
    'How many partitions __transaction_state is created with.',
    10_000,
  ),
  'transaction.state.log.segment.bytes': wholeNumber(
    'INT',
    '104857600',
    1_048_576,
    'The segment.bytes that __transaction_state is created with: what is compacted lies before the last segment (Kafka: at least 1).',
  ),
  'transactional.id.expiration.ms': wholeNumber(
    'INT',
    '604800000',
    1,
    'After how long without use a transactional id is forgotten, in milliseconds.',
  ),
  'transaction.remove.expired.transaction.cleanup.interval.ms': wholeNumber(
    'INT',
    '3600000',
    1,
    'How often transactional ids are looked for that have not been used for so long, in milliseconds.',
  ),
  'offsets.retention.minutes': wholeNumber(
    'INT',
    '10080',
    1,
    'How long committed offsets are kept after the last member of their group has left, or, in a group whose members do not subscribe to their topic, after they were committed; in minutes.',
  ),
  'offsets.retention.check.interval.ms': wholeNumber(
    'LONG',
    '600000',
    1,
    'How often offsets are looked for that are older than that, in milliseconds.',
  ),
  'offset.metadata.max.bytes': wholeNumber(
    'INT',
    '4096',
    0,
    'The longest text that may be committed with an offset.',
  ),
}

/** Broker configs. */
export const BROKER_CONFIGS: ConfigSchema<typeof definitions> = {
  kind: 'broker config',
  definitions,
  unsupported: new Set([
    'advertised.listeners',
    'background.threads',
    'broker.id',
    'broker.rack',
    'connections.max.idle.ms',
    'controller.quorum.voters',
    'default.replication.factor',
    'delete.topic.enable',
    'listeners',
    'log.cleaner.threads',
    'log.dir',
    'log.dirs',
    'log.flush.scheduler.interval.ms',
    'log.retention.hours',
    'log.retention.minutes',
    'log.roll.hours',
    'log.roll.jitter.hours',
    'log.roll.jitter.ms',
    'max.connections',
    'node.id',
    'num.io.threads',
    'num.network.threads',
    'num.recovery.threads.per.data.dir',
    'offsets.topic.compression.codec',
    'offsets.topic.replication.factor',
    'process.roles',
    'queued.max.requests',
    'replica.fetch.max.bytes',
    'request.timeout.ms',
    'socket.request.max.bytes',
    'unclean.leader.election.enable',
  ]),
}

/** The values of all broker configs. */
export type BrokerConfigs = ConfigValues<typeof definitions>

/** Broker configs as an application gives them. */
export type GivenConfigs = Readonly<Record<string, string | number | boolean>>

/**
 * Checks the configs that the application gave.
 * @throws OttlaError INVALID_CONFIG for an unknown name, an unsupported config or a bad value.
 */
export const brokerConfigsOf = (given: GivenConfigs): BrokerConfigs => {
  const values = parseConfigs(
    BROKER_CONFIGS,
    Object.entries(given).map(([name, value]) => [name, String(value)] as const),
  )
  const min = values['group.min.session.timeout.ms']
  const max = values['group.max.session.timeout.ms']
  if (min > max) {
    throw new OttlaError(
      'INVALID_CONFIG',
      `The broker config group.min.session.timeout.ms is ${show(min)}; expected at most group.max.session.timeout.ms, which is ${show(max)}.`,
    )
  }
  const heartbeatMs = values['group.consumer.heartbeat.interval.ms']
  const sessionMs = values['group.consumer.session.timeout.ms']
  if (heartbeatMs >= sessionMs) {
    throw new OttlaError(
      'INVALID_CONFIG',
      `The broker config group.consumer.heartbeat.interval.ms is ${show(heartbeatMs)}; expected less than group.consumer.session.timeout.ms, which is ${show(sessionMs)}.`,
    )
  }
  return values
}

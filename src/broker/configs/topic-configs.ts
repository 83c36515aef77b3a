/** The topic configs that work, under Kafka's names, and how they become the config of a partition's log. */
import type { LogConfig } from '../../log/log-config.js'
import type { Durability } from '../../storage/contract.js'
import { oneOf, parseConfigs, wholeNumber, type ConfigSchema } from './config-definition.js'

const definitions = {
  'retention.ms': wholeNumber(
    'LONG',
    '604800000',
    -1,
    'How long records are kept, in milliseconds by their timestamps; -1 keeps them for ever.',
  ),
  'retention.bytes': wholeNumber(
    'LONG',
    '-1',
    -1,
    'How many bytes each partition keeps before its oldest batches are dropped; -1 is without limit.',
  ),
  'max.message.bytes': wholeNumber(
    'INT',
    '1048588',
    0,
    'The largest record batch that is accepted, in bytes as it is sent (after compression).',
  ),
  'message.timestamp.type': oneOf(
    'STRING',
    ['CreateTime', 'LogAppendTime'],
    'Whether a record carries the time of its creation or of its arrival.',
  ),
  'message.timestamp.before.max.ms': wholeNumber(
    'LONG',
    '9223372036854775807',
    0,
    'How far in the past a create time may lie, in milliseconds.',
  ),
  'message.timestamp.after.max.ms': wholeNumber(
    'LONG',
    '3600000',
    0,
    'How far in the future a create time may lie, in milliseconds.',
  ),
  'cleanup.policy': oneOf(
    'LIST',
    ['delete'],
    'How old records go: delete drops them by retention.',
    '; compaction is not supported',
  ),
  'compression.type': oneOf(
    'STRING',
    ['producer'],
    'How batches are stored: producer keeps them as the producer sent them.',
    '; the broker never compresses again',
  ),
  'min.insync.replicas': oneOf(
    'INT',
    ['1'],
    'How many replicas must have a record before it is acknowledged to acks=all.',
    '; there is one replica',
  ),
}

/** Topic configs. */
export const TOPIC_CONFIGS: ConfigSchema<typeof definitions> = {
  kind: 'topic config',
  definitions,
  unsupported: new Set([
    'compression.gzip.level',
    'compression.lz4.level',
    'compression.zstd.level',
    'delete.retention.ms',
    'file.delete.delay.ms',
    'flush.messages',
    'flush.ms',
    'follower.replication.throttled.replicas',
    'index.interval.bytes',
    'leader.replication.throttled.replicas',
    'local.retention.bytes',
    'local.retention.ms',
    'max.compaction.lag.ms',
    'message.downconversion.enable',
    'message.format.version',
    'message.timestamp.difference.max.ms',
    'min.cleanable.dirty.ratio',
    'min.compaction.lag.ms',
    'preallocate',
    'remote.log.copy.disable',
    'remote.log.delete.on.disable',
    'remote.storage.enable',
    'segment.bytes',
    'segment.index.bytes',
    'segment.jitter.ms',
    'segment.ms',
    'unclean.leader.election.enable',
  ]),
}

const unlimited = (value: number): number => (value >= Number.MAX_SAFE_INTEGER ? -1 : value)

/**
 * The config of the partition logs of a topic with these configs.
 * @throws OttlaError INVALID_CONFIG for a config that cannot be used.
 */
export const logConfigOf = (
  given: Iterable<readonly [name: string, text: string]>,
  durability: Durability,
): LogConfig => {
  const values = parseConfigs(TOPIC_CONFIGS, given)
  return {
    retentionMs: unlimited(values['retention.ms']),
    retentionBytes: unlimited(values['retention.bytes']),
    maxMessageBytes: values['max.message.bytes'],
    timestampType: values['message.timestamp.type'],
    timestampBeforeMaxMs: unlimited(values['message.timestamp.before.max.ms']),
    timestampAfterMaxMs: unlimited(values['message.timestamp.after.max.ms']),
    durability,
  }
}

/** The config of a log that the broker keeps its own state in: nothing is dropped, and no limit refuses a record. */
export const internalLogConfig = (durability: Durability): LogConfig => ({
  ...logConfigOf([], durability),
  retentionMs: -1,
  retentionBytes: -1,
  maxMessageBytes: 0x7fffffff,
})

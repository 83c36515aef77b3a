/** The topic configs that work, under Kafka's names, and the broker configs that stand for those that a topic leaves out. */
import {
  fraction,
  oneOf,
  someOf,
  wholeNumber,
  type ConfigDefinition,
  type ConfigSchema,
} from './config-definition.js'

const FOR_EVER = '9223372036854775807'

/** What Kafka's brokers have a default of their own for. */
const shared = {
  'cleanup.policy': someOf(
    'delete',
    ['delete', 'compact'],
    'How old records go: delete drops them by retention, compact keeps the newest of each key; both may be given, or none.',
  ),
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
  'segment.bytes': wholeNumber(
    'INT',
    '1073741824',
    1_048_576,
    'How many bytes a segment of the log may have before the next one begins. Only what lies before the last segment is compacted.',
  ),
  'segment.ms': wholeNumber(
    'LONG',
    '604800000',
    1,
    'How long after its first batch a segment is appended to, in milliseconds, before the next one begins.',
  ),
  'min.cleanable.dirty.ratio': fraction(
    '0.5',
    'How much of a log must be uncompacted before it is compacted, from 0 to 1.',
  ),
  'min.compaction.lag.ms': wholeNumber(
    'LONG',
    '0',
    0,
    'How long a record is safe from compaction after it was appended, in milliseconds.',
  ),
  'max.compaction.lag.ms': wholeNumber(
    'LONG',
    FOR_EVER,
    1,
    'How long a record may wait for compaction, in milliseconds, however little of the log is uncompacted.',
  ),
  'delete.retention.ms': wholeNumber(
    'LONG',
    '86400000',
    0,
    'How long compaction keeps a record without a value, which deletes its key, in milliseconds.',
  ),
  'max.message.bytes': wholeNumber(
    'INT',
    '1048588',
    0,
    'The largest record batch that is accepted, in bytes as it is sent (after compression).',
  ),
  'compression.type': oneOf(
    'STRING',
    ['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'],
    'How batches are stored: producer keeps them as they came; with any other the broker compresses again what came otherwise.',
  ),
  'message.timestamp.type': oneOf(
    'STRING',
    ['CreateTime', 'LogAppendTime'],
    'Whether a record carries the time of its creation or of its arrival.',
  ),
  'message.timestamp.before.max.ms': wholeNumber(
    'LONG',
    FOR_EVER,
    0,
    'How far in the past a create time may lie, in milliseconds.',
  ),
  'message.timestamp.after.max.ms': wholeNumber(
    'LONG',
    '3600000',
    0,
    'How far in the future a create time may lie, in milliseconds.',
  ),
  'flush.messages': wholeNumber(
    'LONG',
    FOR_EVER,
    1,
    'After how many records of a partition an append waits until the disk has them; 1 is an fsync for each append.',
  ),
  'flush.ms': wholeNumber(
    'LONG',
    FOR_EVER,
    0,
    'How long a record may be in memory only before it is flushed to the disk, in milliseconds.',
  ),
  'min.insync.replicas': oneOf(
    'INT',
    ['1'],
    'How many replicas must have a record before it is acknowledged to acks=all.',
    '; there is one replica',
  ),
  durability: oneOf(
    'STRING',
    ['os', 'fsync'],
    'When a record is acknowledged to acks 1 and all: os when the operating system has it (it survives the death of the process), fsync when the disk has it (it survives a power failure). Ottla only.',
  ),
}

const definitions = {
  ...shared,
  'ottla.disk.priority': wholeNumber(
    'INT',
    '0',
    -1_000_000,
    'Which topics give room first when the disk budget is used up and its policy is drop-oldest: those with the lowest number. Ottla only.',
    1_000_000,
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
    'file.delete.delay.ms',
    'follower.replication.throttled.replicas',
    'index.interval.bytes',
    'leader.replication.throttled.replicas',
    'local.retention.bytes',
    'local.retention.ms',
    'message.downconversion.enable',
    'message.format.version',
    'message.timestamp.difference.max.ms',
    'preallocate',
    'remote.log.copy.disable',
    'remote.log.delete.on.disable',
    'remote.storage.enable',
    'segment.index.bytes',
    'segment.jitter.ms',
    'unclean.leader.election.enable',
  ]),
}

/** The broker config that stands for each topic config which a topic leaves out. */
export const BROKER_SYNONYMS = {
  'cleanup.policy': 'log.cleanup.policy',
  'retention.ms': 'log.retention.ms',
  'retention.bytes': 'log.retention.bytes',
  'segment.bytes': 'log.segment.bytes',
  'segment.ms': 'log.roll.ms',
  'min.cleanable.dirty.ratio': 'log.cleaner.min.cleanable.ratio',
  'min.compaction.lag.ms': 'log.cleaner.min.compaction.lag.ms',
  'max.compaction.lag.ms': 'log.cleaner.max.compaction.lag.ms',
  'delete.retention.ms': 'log.cleaner.delete.retention.ms',
  'max.message.bytes': 'message.max.bytes',
  'compression.type': 'compression.type',
  'message.timestamp.type': 'log.message.timestamp.type',
  'message.timestamp.before.max.ms': 'log.message.timestamp.before.max.ms',
  'message.timestamp.after.max.ms': 'log.message.timestamp.after.max.ms',
  'flush.messages': 'log.flush.interval.messages',
  'flush.ms': 'log.flush.interval.ms',
  'min.insync.replicas': 'min.insync.replicas',
  durability: 'durability',
} as const satisfies Record<keyof typeof shared, string>

type SynonymDefinitions = {
  readonly [K in keyof typeof BROKER_SYNONYMS as (typeof BROKER_SYNONYMS)[K]]: (typeof shared)[K]
}

/** The definitions of those broker configs: what holds for the topic config holds for them. */
export const SYNONYM_DEFINITIONS = Object.fromEntries(
  Object.entries(BROKER_SYNONYMS).map(([name, synonym]): [string, ConfigDefinition] => {
    const definition = shared[name as keyof typeof shared]
    return [synonym, { ...definition, doc: `For topics without ${name}. ${definition.doc}` }]
  }),
) as SynonymDefinitions

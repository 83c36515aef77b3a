/** The metadata log: partition 0 of `__cluster_metadata`, KRaft's records in ordinary batches. */
import type { PartitionLog } from '../../log/partition-log.js'
import type { PartitionLogs } from '../../log/partition-logs.js'
import { encodeMetadataRecord, openMetadataFrame, readMetadataRecord } from '../../protocol/metadata-frame.js'
import {
  accessControlEntryRecord,
  clientQuotaRecord,
  configRecord,
  partitionRecord,
  producerIdsRecord,
  removeAccessControlEntryRecord,
  removeTopicRecord,
  removeUserScramCredentialRecord,
  topicRecord,
  userScramCredentialRecord,
} from '../../protocol/metadata-records.js'
import type { RecordOf } from '../../protocol/schema.js'
import { encodeBatch, NO_HEADERS } from '../../record/encode.js'
import type { Clock } from '../../runtime/clock.js'
import type { Uuid } from '../../runtime/uuid.js'
import { readWholeLog } from '../read-whole-log.js'
import type { TopicLogConfigs } from '../configs/topic-log-configs.js'
import { METADATA_TOPIC } from './topic-name.js'

/** KRaft's fixed id of the metadata topic. */
export const METADATA_TOPIC_ID: Uuid = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** One change of the metadata: a record of the log. */
export type MetadataChange =
  | { readonly type: 'topic'; readonly record: RecordOf<typeof topicRecord> }
  | { readonly type: 'partition'; readonly record: RecordOf<typeof partitionRecord> }
  | { readonly type: 'config'; readonly record: RecordOf<typeof configRecord> }
  | { readonly type: 'removeTopic'; readonly record: RecordOf<typeof removeTopicRecord> }
  | { readonly type: 'producerIds'; readonly record: RecordOf<typeof producerIdsRecord> }
  | { readonly type: 'clientQuota'; readonly record: RecordOf<typeof clientQuotaRecord> }
  | { readonly type: 'acl'; readonly record: RecordOf<typeof accessControlEntryRecord> }
  | { readonly type: 'removeAcl'; readonly record: RecordOf<typeof removeAccessControlEntryRecord> }
  | { readonly type: 'userScramCredential'; readonly record: RecordOf<typeof userScramCredentialRecord> }
  | {
      readonly type: 'removeUserScramCredential'
      readonly record: RecordOf<typeof removeUserScramCredentialRecord>
    }

/** The metadata log. */
export class MetadataLog {
  readonly #log: PartitionLog
  readonly #clock: Clock

  private constructor(log: PartitionLog, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  static async open(options: {
    readonly logs: PartitionLogs
    readonly clock: Clock
    readonly topicConfigs: TopicLogConfigs
  }): Promise<MetadataLog> {
    const id = { topicId: METADATA_TOPIC_ID, partition: 0 }
    const config = options.topicConfigs.internalLogConfig()
    return new MetadataLog(await options.logs.get(id, `${METADATA_TOPIC}-0`, config), options.clock)
  }

  /** Writes `changes` as one batch, which is there as a whole or not at all. */
  async append(changes: readonly MetadataChange[]): Promise<void> {
    const timestamp = this.#clock.now()
    const records = changes.map((change) => ({
      timestamp,
      key: null,
      value: encodeChange(change),
      headers: NO_HEADERS,
    }))
    await this.#log.append(encodeBatch(records), { origin: 'metadata' })
  }

  /** Calls `apply` with every change there is, in order. */
  async replay(apply: (change: MetadataChange) => void): Promise<void> {
    await readWholeLog(this.#log, this.#clock, (record) => {
      const change = record.value === null ? undefined : decodeChange(record.value)
      if (change !== undefined) apply(change)
    })
  }
}

const encodeChange = (change: MetadataChange): Uint8Array => {
  switch (change.type) {
    case 'topic':
      return encodeMetadataRecord(topicRecord, 0, change.record)
    case 'partition':
      return encodeMetadataRecord(partitionRecord, 0, change.record)
    case 'config':
      return encodeMetadataRecord(configRecord, 0, change.record)
    case 'removeTopic':
      return encodeMetadataRecord(removeTopicRecord, 0, change.record)
    case 'producerIds':
      return encodeMetadataRecord(producerIdsRecord, 0, change.record)
    case 'clientQuota':
      return encodeMetadataRecord(clientQuotaRecord, 0, change.record)
    case 'acl':
      return encodeMetadataRecord(accessControlEntryRecord, 0, change.record)
    case 'removeAcl':
      return encodeMetadataRecord(removeAccessControlEntryRecord, 0, change.record)
    case 'userScramCredential':
      return encodeMetadataRecord(userScramCredentialRecord, 0, change.record)
    case 'removeUserScramCredential':
      return encodeMetadataRecord(removeUserScramCredentialRecord, 0, change.record)
  }
}

/** The change in `bytes`; undefined for a record of KRaft's that says nothing to one node. */
export const decodeChange = (bytes: Uint8Array): MetadataChange | undefined => {
  const frame = openMetadataFrame(bytes)
  switch (frame.key) {
    case topicRecord.key:
      return { type: 'topic', record: readMetadataRecord(topicRecord, frame) }
    case partitionRecord.key:
      return { type: 'partition', record: readMetadataRecord(partitionRecord, frame) }
    case configRecord.key:
      return { type: 'config', record: readMetadataRecord(configRecord, frame) }
    case removeTopicRecord.key:
      return { type: 'removeTopic', record: readMetadataRecord(removeTopicRecord, frame) }
    case producerIdsRecord.key:
      return { type: 'producerIds', record: readMetadataRecord(producerIdsRecord, frame) }
    case clientQuotaRecord.key:
      return { type: 'clientQuota', record: readMetadataRecord(clientQuotaRecord, frame) }
    case accessControlEntryRecord.key:
      return { type: 'acl', record: readMetadataRecord(accessControlEntryRecord, frame) }
    case removeAccessControlEntryRecord.key:
      return { type: 'removeAcl', record: readMetadataRecord(removeAccessControlEntryRecord, frame) }
    case userScramCredentialRecord.key:
      return { type: 'userScramCredential', record: readMetadataRecord(userScramCredentialRecord, frame) }
    case removeUserScramCredentialRecord.key:
      return {
        type: 'removeUserScramCredential',
        record: readMetadataRecord(removeUserScramCredentialRecord, frame),
      }
    default:
      return undefined
  }
}

/** What the files and folders of a storage in files are called. */
import type { PartitionId } from '../contract.js'
import { partitionKey } from '../partition-key.js'

const DELETED = '.deleted'
const FOLDER = /^([A-Za-z0-9_-]{22})-(\d+)$/

/** A partition's state: a snapshot and what was committed since. */
export const JOURNAL_FILE = 'journal'
/** A journal being written; moved to {@link JOURNAL_FILE} when it is whole. */
export const JOURNAL_DRAFT = 'journal.new'
/** A segment being written to take another's place. */
export const SWAP_SUFFIX = '.swap'

/** A segment's batches: 20 digits, as Kafka calls it. */
export const segmentFile = (baseOffset: number): string => `${String(baseOffset).padStart(20, '0')}.log`

/** A segment's sparse index. */
export const indexFile = (baseOffset: number): string => `${String(baseOffset).padStart(20, '0')}.sparse`

/** A partition's folder. */
export const partitionFolder = (id: PartitionId): string => partitionKey(id)

/** The folder that a deleted partition's is moved to until it is removed. */
export const deletedFolder = (id: PartitionId, unique: string): string =>
  `${partitionKey(id)}.${unique}${DELETED}`

/** Whether the folder is one of those. */
export const isDeletedFolder = (name: string): boolean => name.endsWith(DELETED)

/** Whose folder that is; undefined when it is no partition's. */
export const partitionOfFolder = (name: string): PartitionId | undefined => {
  const [, topicId, partition] = FOLDER.exec(name) ?? []
  return topicId === undefined ? undefined : { topicId, partition: Number(partition) }
}

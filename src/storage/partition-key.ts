/** A partition's id as one string, for maps and messages. */
import type { PartitionId } from './contract.js'

/** `topicId-partition`. */
export const partitionKey = ({ topicId, partition }: PartitionId): string => `${topicId}-${partition}`

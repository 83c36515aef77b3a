/** Java's String.hashCode, by which Kafka finds the offsets partition of a group. */

/** The partition of `__consumer_offsets` that keeps `groupId`. */
export const offsetsPartitionOf = (groupId: string, partitionCount: number): number => {
  let hash = 0
  for (let index = 0; index < groupId.length; index++)
    hash = (Math.imul(31, hash) + groupId.charCodeAt(index)) | 0
  // Kafka's Utils.abs: the one number without a positive counterpart counts as 0.
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount
}

/**
 * OffsetForLeaderEpoch: where a leader epoch ends in a partition's log (KIP-101), so that who has read on under
 * another leader finds where the two histories part (KIP-320).
 */
import { array, int16, int32, int64, string, defineApi } from '../schema.js'

export const offsetForLeaderEpoch = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexible: 4,
  request: {
    replicaId: int32({ since: 3, default: -2, ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ default: -1, ignorable: true }),
        leaderEpoch: int32(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({
      topic: string(),
      partitions: array({
        errorCode: int16(),
        partition: int32(),
        leaderEpoch: int32({ default: -1, ignorable: true }),
        endOffset: int64({ default: -1 }),
      }),
    }),
  },
})

/**
 * OffsetDelete: removes offsets that a group has committed, of topics that it does not read any more (KIP-496).
 */
import { array, int16, int32, string, defineApi } from '../schema.js'

export const offsetDelete = defineApi({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  flexible: Number.POSITIVE_INFINITY,
  request: {
    groupId: string(),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
      }),
    }),
  },
  response: {
    errorCode: int16(),
    throttleTimeMs: int32({ ignorable: true }),
    topics: array({
      name: string(),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
      }),
    }),
  },
})

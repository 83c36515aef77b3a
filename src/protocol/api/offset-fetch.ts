/**
 * OffsetFetch: how far a group has come; -1 where it committed nothing. From version 8 on it asks for several groups
 * at once, from 10 on topics go by id.
 */
import { array, bool, int16, int32, int64, string, uuid, defineApi } from '../schema.js'

export const offsetFetch = defineApi({
  key: 9,
  name: 'OffsetFetch',
  versions: [1, 10],
  flexible: 6,
  request: {
    groupId: string({ until: 7 }),
    topics: array(
      {
        name: string({ until: 7 }),
        partitionIndexes: array(int32(), { until: 7 }),
      },
      { until: 7, nullable: 2 },
    ),
    groups: array(
      {
        groupId: string({ since: 8 }),
        memberId: string({ since: 9, nullable: 9, default: null, ignorable: true }),
        memberEpoch: int32({ since: 9, default: -1, ignorable: true }),
        topics: array(
          {
            name: string({ since: 8, until: 9, ignorable: true }),
            topicId: uuid({ since: 10, ignorable: true }),
            partitionIndexes: array(int32(), { since: 8 }),
          },
          { since: 8, nullable: 8 },
        ),
      },
      { since: 8 },
    ),
    requireStable: bool({ since: 7 }),
  },
  response: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: array(
      {
        name: string({ until: 7 }),
        partitions: array(
          {
            partitionIndex: int32({ until: 7 }),
            committedOffset: int64({ until: 7 }),
            committedLeaderEpoch: int32({ since: 5, until: 7, default: -1, ignorable: true }),
            metadata: string({ until: 7, nullable: 0 }),
            errorCode: int16({ until: 7 }),
          },
          { until: 7 },
        ),
      },
      { until: 7 },
    ),
    errorCode: int16({ since: 2, until: 7, ignorable: true }),
    groups: array(
      {
        groupId: string({ since: 8 }),
        topics: array(
          {
            name: string({ since: 8, until: 9, ignorable: true }),
            topicId: uuid({ since: 10, ignorable: true }),
            partitions: array(
              {
                partitionIndex: int32({ since: 8 }),
                committedOffset: int64({ since: 8 }),
                committedLeaderEpoch: int32({ since: 8, default: -1, ignorable: true }),
                metadata: string({ since: 8, nullable: 8 }),
                errorCode: int16({ since: 8 }),
              },
              { since: 8 },
            ),
          },
          { since: 8 },
        ),
        errorCode: int16({ since: 8 }),
      },
      { since: 8 },
    ),
  },
})

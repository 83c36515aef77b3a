/**
 * Fetch: reads record batches from an offset on, waiting for `minBytes` up to `maxWaitMs`. From version 7 on it can
 * run in sessions, from 13 on topics go by id. Followers use the same request, told apart by their replica id.
 */
import { array, int16, int32, int64, int8, records, string, struct, uuid, defineApi } from '../schema.js'

export const fetch = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexible: 12,
  request: {
    clusterId: string({ since: 12, nullable: 12, tag: 0, default: null, ignorable: true }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: struct(
      {
        replicaId: int32({ since: 15, default: -1 }),
        replicaEpoch: int64({ since: 15, default: -1 }),
      },
      { since: 15, tag: 1 },
    ),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff }),
    isolationLevel: int8(),
    sessionId: int32({ since: 7, ignorable: true }),
    sessionEpoch: int32({ since: 7, default: -1, ignorable: true }),
    topics: array({
      topic: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitions: array({
        partition: int32(),
        currentLeaderEpoch: int32({ since: 9, default: -1, ignorable: true }),
        fetchOffset: int64(),
        lastFetchedEpoch: int32({ since: 12, default: -1 }),
        logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
        partitionMaxBytes: int32(),
        replicaDirectoryId: uuid({ since: 17, tag: 0, ignorable: true }),
        // Kafka's default is the largest int64, for a replica that does not say; no number reaches it.
        highWatermark: int64({ since: 18, tag: 1, default: Number.MAX_SAFE_INTEGER, ignorable: true }),
      }),
    }),
    forgottenTopicsData: array(
      {
        topic: string({ since: 7, until: 12, ignorable: true }),
        topicId: uuid({ since: 13, ignorable: true }),
        partitions: array(int32(), { since: 7 }),
      },
      { since: 7 },
    ),
    rackId: string({ since: 11, ignorable: true }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16({ since: 7, ignorable: true }),
    sessionId: int32({ since: 7 }),
    responses: array({
      topic: string({ until: 12, ignorable: true }),
      topicId: uuid({ since: 13, ignorable: true }),
      partitions: array({
        partitionIndex: int32(),
        errorCode: int16(),
        highWatermark: int64(),
        lastStableOffset: int64({ default: -1 }),
        logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
        divergingEpoch: struct(
          {
            epoch: int32({ since: 12, default: -1 }),
            endOffset: int64({ since: 12, default: -1 }),
          },
          { since: 12, tag: 0 },
        ),
        currentLeader: struct(
          {
            leaderId: int32({ since: 12, default: -1 }),
            leaderEpoch: int32({ since: 12, default: -1 }),
          },
          { since: 12, tag: 1 },
        ),
        snapshotId: struct(
          {
            endOffset: int64({ default: -1 }),
            epoch: int32({ default: -1 }),
          },
          { since: 12, tag: 2 },
        ),
        abortedTransactions: array(
          {
            producerId: int64(),
            firstOffset: int64(),
          },
          { nullable: 0 },
        ),
        preferredReadReplica: int32({ since: 11, default: -1 }),
        records: records({ nullable: 0 }),
      }),
    }),
    nodeEndpoints: array(
      {
        nodeId: int32({ since: 16 }),
        host: string({ since: 16 }),
        port: int32({ since: 16 }),
        rack: string({ since: 16, nullable: 16, default: null }),
      },
      { since: 16, tag: 0 },
    ),
  },
})

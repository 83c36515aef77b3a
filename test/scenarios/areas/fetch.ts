/** Fetch, ListOffsets, OffsetForLeaderEpoch: where a reader stands, and what it is told when it stands nowhere. */
import { any, atLeast, capture, plus, values, type Area, type RequestStep } from '../scenario.js'
import { EARLIEST, LATEST, MAX_TIMESTAMP, fetch, listOffset, produce } from '../steps.js'

const orders = { orders: {} }
const two = produce('~orders', { values: ['a', 'b'] })
const NOWHERE = 'MkU3OEVBNTcwNTJENDM2Qg'

const inSession = (
  sessionId: number | string,
  sessionEpoch: number,
  partitions: readonly number[],
  expect: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): RequestStep => ({
  api: 'Fetch',
  version: 12,
  body: {
    maxWaitMs: 0,
    minBytes: 0,
    sessionId,
    sessionEpoch,
    topics:
      partitions.length === 0
        ? []
        : [
            {
              topic: '~orders',
              partitions: partitions.map((partition) => ({
                partition,
                fetchOffset: 0,
                partitionMaxBytes: 1 << 20,
              })),
            },
          ],
    ...more,
  },
  expect,
})

const epochEnd = (
  leaderEpoch: number,
  expect: Readonly<Record<string, unknown>>,
  more: { readonly topic?: string; readonly partition?: number; readonly currentLeaderEpoch?: number } = {},
): RequestStep => {
  const { topic = '~orders', partition = 0, currentLeaderEpoch = -1 } = more
  return {
    api: 'OffsetForLeaderEpoch',
    body: {
      replicaId: -1,
      topics: [{ topic, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
    },
    expect: { topics: [{ topic, partitions: [{ partition, ...expect }] }] },
  }
}

export const fetchArea: Area = {
  name: 'fetch',
  scenarios: [
    {
      name: 'has nothing at the end of the log, which is no error',
      source: 'UnifiedLog.read',
      topics: orders,
      steps: [
        two,
        fetch('~orders', 2, {
          errorCode: 'NONE',
          highWatermark: 2,
          lastStableOffset: 2,
          logStartOffset: 0,
          records: values(),
        }),
      ],
    },
    {
      name: 'is out of range beyond the end, and knows no offsets then',
      source: 'ReplicaManager.readFromLog (OffsetOutOfRangeException)',
      topics: orders,
      steps: [
        two,
        fetch('~orders', 3, { errorCode: 'OFFSET_OUT_OF_RANGE', records: values() }),
        fetch('~orders', -5, { errorCode: 'OFFSET_OUT_OF_RANGE' }),
      ],
    },
    {
      name: 'is out of range before the log start offset',
      source: 'UnifiedLog.checkLogStartOffset',
      topics: orders,
      steps: [
        two,
        produce('~orders', { values: ['c'] }),
        {
          api: 'DeleteRecords',
          body: {
            timeoutMs: 5000,
            topics: [{ name: '~orders', partitions: [{ partitionIndex: 0, offset: 2 }] }],
          },
          expect: { topics: [{ partitions: [{ lowWatermark: 2, errorCode: 'NONE' }] }] },
        },
        fetch('~orders', 1, { errorCode: 'OFFSET_OUT_OF_RANGE' }),
        fetch('~orders', 2, { errorCode: 'NONE', logStartOffset: 2, records: values('c') }),
      ],
    },
    {
      name: 'gives the whole batch around an offset',
      source: 'UnifiedLog.read',
      topics: orders,
      steps: [two, fetch('~orders', 1, { records: values('a', 'b') })],
    },
    {
      name: 'gives one batch even above partition.max.bytes, and no second one',
      source: 'ReplicaManager.readFromLog (minOneMessage)',
      topics: orders,
      steps: [
        produce('~orders', { values: ['a'.repeat(500)] }),
        produce('~orders', { values: ['b'.repeat(500)] }),
        fetch('~orders', 0, { records: values('a'.repeat(500)) }, { partitionMaxBytes: 1 }),
        fetch('~orders', 0, { records: values('a'.repeat(500)) }, { maxBytes: 1 }),
        fetch('~orders', 0, { records: values('a'.repeat(500), 'b'.repeat(500)) }),
      ],
    },
    {
      name: 'gives nothing of a second partition when the first one has filled max.bytes',
      source: 'ReplicaManager.readFromLog (limitBytes)',
      topics: { orders: { partitions: 2 } },
      steps: [
        produce('~orders', { values: ['a'.repeat(500)] }),
        produce('~orders', { values: ['b'] }, { errorCode: 'NONE' }, { partition: 1 }),
        inSession(
          0,
          -1,
          [0, 1],
          {
            responses: [
              {
                partitions: [
                  { partitionIndex: 0, records: values('a'.repeat(500)) },
                  { partitionIndex: 1, errorCode: 'NONE', highWatermark: 1, records: values() },
                ],
              },
            ],
          },
          { maxBytes: 100 },
        ),
      ],
    },
    {
      name: 'waits for the first record',
      source: 'DelayedFetch.tryComplete',
      topics: orders,
      steps: [
        { ...fetch('~orders', 0, {}, { maxWaitMs: 10_000, client: 'reader' }), later: 'read' },
        two,
        {
          answerOf: 'read',
          expect: { responses: [{ partitions: [{ errorCode: 'NONE', records: values('a', 'b') }] }] },
        },
      ],
    },
    {
      name: 'waits no longer than maxWaitMs for minBytes',
      source: 'DelayedFetch.onComplete',
      topics: orders,
      steps: [two, fetch('~orders', 0, { records: values('a', 'b') }, { maxWaitMs: 100, minBytes: 100_000 })],
    },
    {
      name: 'does not wait where a partition has an error',
      source: 'ReplicaManager.fetchMessages (errorReadingData)',
      topics: orders,
      steps: [fetch('~orders', 7, { errorCode: 'OFFSET_OUT_OF_RANGE' }, { maxWaitMs: 14_000, minBytes: 1 })],
    },
    {
      name: 'does not know a topic, or a partition',
      source: 'KafkaApis.handleFetchRequest (UNKNOWN_TOPIC_OR_PARTITION)',
      topics: orders,
      steps: [
        fetch('~nothing', 0, {
          errorCode: 'UNKNOWN_TOPIC_OR_PARTITION',
          highWatermark: -1,
          logStartOffset: -1,
        }),
        fetch('~orders', 0, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', highWatermark: -1 }, { partition: 3 }),
      ],
    },
    {
      name: 'does not know a topic of this id',
      source: 'KafkaApis.handleFetchRequest (UNKNOWN_TOPIC_ID)',
      steps: [
        {
          api: 'Fetch',
          body: {
            topics: [{ topicId: NOWHERE, partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
          },
          expect: {
            errorCode: 'NONE',
            responses: [
              { topicId: NOWHERE, partitions: [{ partitionIndex: 0, errorCode: 'UNKNOWN_TOPIC_ID' }] },
            ],
          },
        },
      ],
    },
    {
      name: 'reads by id, and answers with the id',
      source: 'KafkaApis.handleFetchRequest',
      topics: orders,
      steps: [
        two,
        {
          api: 'Fetch',
          body: {
            topics: [{ topicId: '$ordersId', partitions: [{ partition: 0, partitionMaxBytes: 1000 }] }],
          },
          expect: {
            responses: [
              { topicId: '$ordersId', partitions: [{ errorCode: 'NONE', records: values('a', 'b') }] },
            ],
          },
        },
      ],
    },
    {
      name: 'takes the epoch of the leader, and none that is newer',
      source: 'Partition.checkCurrentLeaderEpoch',
      topics: orders,
      steps: [
        two,
        fetch('~orders', 0, { errorCode: 'NONE' }, { currentLeaderEpoch: 0 }),
        fetch('~orders', 0, { errorCode: 'UNKNOWN_LEADER_EPOCH' }, { currentLeaderEpoch: 5 }),
      ],
    },
    {
      name: 'tells a reader whose log diverged where its epoch ends here',
      source: 'Partition.readRecords (divergingEpoch)',
      topics: orders,
      steps: [
        two,
        fetch(
          '~orders',
          9,
          { errorCode: 'NONE', divergingEpoch: { epoch: 0, endOffset: 2 }, records: values() },
          { lastFetchedEpoch: 0 },
        ),
        fetch('~orders', 1, { errorCode: 'NONE', records: values('a', 'b') }, { lastFetchedEpoch: 0 }),
      ],
    },
    {
      name: 'opens a session, and then tells only what is new in it',
      source: 'FetchSession.IncrementalFetchContext',
      topics: { orders: { partitions: 2 } },
      steps: [
        inSession(0, 0, [0, 1], {
          errorCode: 'NONE',
          sessionId: capture('session'),
          responses: [{ partitions: [any, any] }],
        }),
        inSession('$session', 1, [], { errorCode: 'NONE', sessionId: '$session', responses: [] }),
        produce('~orders', { values: ['b'] }, { errorCode: 'NONE' }, { partition: 1 }),
        inSession('$session', 2, [], {
          errorCode: 'NONE',
          responses: [{ topic: '~orders', partitions: [{ partitionIndex: 1, records: values('b') }] }],
        }),
      ],
    },
    {
      name: 'leaves out of a session what is forgotten in it',
      source: 'FetchSession.update (toForget)',
      topics: { orders: { partitions: 2 } },
      steps: [
        inSession(0, 0, [0, 1], { sessionId: capture('session') }),
        produce('~orders', {}, { errorCode: 'NONE' }, { partition: 1 }),
        inSession(
          '$session',
          1,
          [],
          { errorCode: 'NONE', responses: [] },
          {
            forgottenTopicsData: [{ topic: '~orders', partitions: [1] }],
          },
        ),
      ],
    },
    {
      name: 'refuses an epoch of a session that is not the next',
      source: 'FetchManager.newContext (INVALID_FETCH_SESSION_EPOCH)',
      topics: orders,
      steps: [
        inSession(0, 0, [0], { errorCode: 'NONE', sessionId: capture('session') }),
        inSession('$session', 7, [], { errorCode: 'INVALID_FETCH_SESSION_EPOCH', responses: [] }),
        inSession('$session', 1, [], { errorCode: 'NONE' }),
      ],
    },
    {
      name: 'does not know a session that is over',
      source: 'FetchManager.newContext (FETCH_SESSION_ID_NOT_FOUND)',
      topics: orders,
      steps: [
        inSession(0, 0, [0], { sessionId: capture('session') }),
        inSession('$session', -1, [0], { errorCode: 'NONE', sessionId: 0 }),
        inSession('$session', 1, [], { errorCode: 'FETCH_SESSION_ID_NOT_FOUND' }),
        inSession(123_456, 1, [], { errorCode: 'FETCH_SESSION_ID_NOT_FOUND', responses: [] }),
      ],
    },
    {
      name: 'refuses to go on by id in a session that went by name',
      source: 'FetchManager.newContext (FETCH_SESSION_TOPIC_ID_ERROR)',
      topics: orders,
      steps: [
        inSession(0, 0, [0], { sessionId: capture('session') }),
        {
          api: 'Fetch',
          version: 13,
          body: { sessionId: '$session', sessionEpoch: 1 },
          expect: { errorCode: 'FETCH_SESSION_TOPIC_ID_ERROR' },
        },
      ],
    },
    {
      name: 'lists the first offset and the next one',
      source: 'UnifiedLog.fetchOffsetByTimestamp',
      topics: orders,
      steps: [
        listOffset('~orders', EARLIEST, { errorCode: 'NONE', offset: 0, timestamp: -1 }),
        listOffset('~orders', LATEST, { errorCode: 'NONE', offset: 0, timestamp: -1, leaderEpoch: 0 }),
        two,
        listOffset('~orders', EARLIEST, { errorCode: 'NONE', offset: 0, timestamp: -1, leaderEpoch: 0 }),
        listOffset('~orders', LATEST, { errorCode: 'NONE', offset: 2, timestamp: -1, leaderEpoch: 0 }),
      ],
    },
    {
      name: 'lists the first record that is not older, with its own timestamp',
      source: 'UnifiedLog.searchOffsetInLocalLog',
      topics: orders,
      steps: [
        produce('~orders', { values: ['a', 'b', 'c'], timestamps: [1000, 2000, 3000] }),
        listOffset('~orders', 1500, { errorCode: 'NONE', offset: 1, timestamp: 2000, leaderEpoch: 0 }),
        listOffset('~orders', 2000, { offset: 1, timestamp: 2000 }),
        listOffset('~orders', 0, { offset: 0, timestamp: 1000 }),
      ],
    },
    {
      name: 'lists nothing, which is no error, where no record is that new',
      source: 'UnifiedLog.fetchOffsetByTimestamp',
      topics: orders,
      steps: [
        produce('~orders', { timestamps: [1000] }),
        listOffset('~orders', 1001, { errorCode: 'NONE', offset: -1, timestamp: -1, leaderEpoch: -1 }),
      ],
    },
    {
      name: 'finds a record whose timestamp is smaller than that of one before',
      source: 'FileRecords.searchForTimestamp',
      topics: orders,
      steps: [
        produce('~orders', { values: ['a', 'b', 'c'], timestamps: [3000, 1000, 5000] }),
        listOffset('~orders', 900, { offset: 0, timestamp: 3000 }),
        listOffset('~orders', 4000, { offset: 2, timestamp: 5000 }),
      ],
    },
    {
      name: 'lists the record of the largest timestamp, the first of several',
      source: 'UnifiedLog.fetchOffsetByTimestamp (MAX_TIMESTAMP)',
      topics: orders,
      steps: [
        listOffset('~orders', MAX_TIMESTAMP, { errorCode: 'NONE', offset: -1, timestamp: -1 }),
        produce('~orders', { values: ['a', 'b', 'c'], timestamps: [1000, 9000, 9000] }),
        produce('~orders', { values: ['d'], timestamps: [4000] }),
        listOffset('~orders', MAX_TIMESTAMP, { errorCode: 'NONE', offset: 1, timestamp: 9000 }),
      ],
    },
    {
      name: 'lists what lies on this machine, and nothing elsewhere',
      source: 'UnifiedLog.fetchOffsetByTimestamp (EARLIEST_LOCAL_TIMESTAMP, LATEST_TIERED_TIMESTAMP)',
      topics: orders,
      steps: [
        two,
        listOffset('~orders', -4, { errorCode: 'NONE', offset: 0, timestamp: -1 }),
        listOffset('~orders', -5, { errorCode: 'NONE', offset: -1, timestamp: -1 }),
      ],
    },
    {
      name: 'does not know a topic or a partition when it lists',
      source: 'ReplicaManager.fetchOffset (UNKNOWN_TOPIC_OR_PARTITION)',
      topics: orders,
      steps: [
        listOffset('~nothing', LATEST, {
          errorCode: 'UNKNOWN_TOPIC_OR_PARTITION',
          offset: -1,
          timestamp: -1,
        }),
        listOffset('~orders', LATEST, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }, { partition: 1 }),
      ],
    },
    {
      name: 'lists for the epoch of the leader, and none that is newer',
      source: 'Partition.fetchOffsetForTimestamp',
      topics: orders,
      steps: [
        listOffset('~orders', LATEST, { errorCode: 'NONE', offset: 0 }, { currentLeaderEpoch: 0 }),
        listOffset(
          '~orders',
          LATEST,
          { errorCode: 'UNKNOWN_LEADER_EPOCH', offset: -1 },
          { currentLeaderEpoch: 3 },
        ),
      ],
    },
    {
      name: 'refuses a partition that a request lists twice',
      source: 'ListOffsetsRequest.duplicatePartitions',
      topics: orders,
      steps: [
        {
          api: 'ListOffsets',
          body: {
            replicaId: -1,
            topics: [
              {
                name: '~orders',
                partitions: [
                  { partitionIndex: 0, timestamp: LATEST },
                  { partitionIndex: 0, timestamp: EARLIEST },
                ],
              },
            ],
          },
          expect: {
            topics: [{ partitions: [{ partitionIndex: 0, errorCode: 'INVALID_REQUEST', offset: -1 }] }],
          },
        },
      ],
    },
    {
      name: 'refuses special timestamps in versions that did not have them',
      source: 'KafkaApis.handleListOffsetRequest (timestampMinSupportedVersion)',
      topics: orders,
      steps: [
        listOffset('~orders', MAX_TIMESTAMP, { errorCode: 'UNSUPPORTED_VERSION' }, { version: 6 }),
        listOffset('~orders', -4, { errorCode: 'UNSUPPORTED_VERSION' }, { version: 7 }),
        listOffset('~orders', -5, { errorCode: 'UNSUPPORTED_VERSION' }, { version: 8 }),
        listOffset('~orders', -99, { errorCode: 'UNSUPPORTED_VERSION' }),
      ],
    },
    {
      name: 'moves the log start offset to where records are deleted',
      source: 'Partition.deleteRecordsOnLeader',
      topics: orders,
      steps: [
        two,
        produce('~orders', { values: ['c'] }),
        {
          api: 'DeleteRecords',
          body: {
            timeoutMs: 5000,
            topics: [{ name: '~orders', partitions: [{ partitionIndex: 0, offset: 1 }] }],
          },
          expect: { topics: [{ name: '~orders', partitions: [{ lowWatermark: 1, errorCode: 'NONE' }] }] },
        },
        listOffset('~orders', EARLIEST, { offset: 1 }),
        fetch('~orders', 1, { logStartOffset: 1, records: values('a', 'b', 'c') }),
      ],
    },
    {
      name: 'tells where an epoch ends',
      source: 'Partition.lastOffsetForLeaderEpoch',
      topics: orders,
      steps: [
        two,
        epochEnd(0, { errorCode: 'NONE', leaderEpoch: 0, endOffset: 2 }),
        epochEnd(0, { errorCode: 'NONE', leaderEpoch: 0, endOffset: 2 }, { currentLeaderEpoch: 0 }),
      ],
    },
    {
      name: 'does not know an epoch that is still to come',
      source: 'LeaderEpochFileCache.endOffsetFor',
      topics: orders,
      steps: [
        two,
        epochEnd(4, { errorCode: 'NONE', leaderEpoch: -1, endOffset: -1 }),
        epochEnd(0, { errorCode: 'UNKNOWN_LEADER_EPOCH' }, { currentLeaderEpoch: 4 }),
      ],
    },
    {
      name: 'does not know the epochs of a topic or partition that there is none of',
      source: 'ReplicaManager.lastOffsetForLeaderEpoch',
      topics: orders,
      steps: [
        epochEnd(
          0,
          { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', leaderEpoch: -1, endOffset: -1 },
          { topic: '~nothing' },
        ),
        epochEnd(0, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' }, { partition: 5 }),
      ],
    },
    {
      name: 'stamps what is appended where the topic says LogAppendTime',
      source: 'LogValidator.assignOffsetsNonCompressed (LOG_APPEND_TIME)',
      topics: { orders: { configs: { 'message.timestamp.type': 'LogAppendTime' } } },
      steps: [
        produce('~orders', { timestamps: [5] }, { errorCode: 'NONE', logAppendTimeMs: capture('time') }),
        listOffset('~orders', 6, { errorCode: 'NONE', offset: 0, timestamp: '$time' }),
        listOffset('~orders', MAX_TIMESTAMP, { offset: 0, timestamp: plus('time', 0) }),
        produce('~orders', { timestamps: [5] }, { logAppendTimeMs: atLeast(1_600_000_000_000) }),
      ],
    },
  ],
}

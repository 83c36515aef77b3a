/** DeleteRecords: how far a log can be cut off at its start. */
import { contains, type Area, type RequestStep } from '../scenario.js'
import { EARLIEST, LATEST, listOffset, produce } from '../steps.js'

const orders = { orders: {} }
const three = produce('~orders', { values: ['a', 'b', 'c'] })

const deleteTo = (
  offset: number,
  expect: Readonly<Record<string, unknown>>,
  topic = '~orders',
  partitionIndex = 0,
): RequestStep => ({
  api: 'DeleteRecords',
  body: { timeoutMs: 5000, topics: [{ name: topic, partitions: [{ partitionIndex, offset }] }] },
  expect: { topics: [{ name: topic, partitions: [{ partitionIndex, ...expect }] }] },
})

export const deleteRecordsArea: Area = {
  name: 'delete records',
  scenarios: [
    {
      name: 'deletes everything with -1, and the log goes on behind it',
      source: 'Partition.deleteRecordsOnLeader (DeleteRecordsRequest.HIGH_WATERMARK)',
      topics: orders,
      steps: [
        three,
        deleteTo(-1, { errorCode: 'NONE', lowWatermark: 3 }),
        listOffset('~orders', EARLIEST, { offset: 3 }),
        listOffset('~orders', LATEST, { offset: 3 }),
        produce('~orders', {}, { errorCode: 'NONE', baseOffset: 3, logStartOffset: 3 }),
      ],
    },
    {
      name: 'is out of range behind the high watermark, and below -1',
      source: 'UnifiedLog.maybeIncrementLogStartOffset, Partition.deleteRecordsOnLeader',
      topics: orders,
      steps: [
        three,
        deleteTo(4, { errorCode: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 }),
        deleteTo(-7, { errorCode: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 }),
        listOffset('~orders', EARLIEST, { offset: 0 }),
      ],
    },
    {
      name: 'never goes back',
      source: 'UnifiedLog.maybeIncrementLogStartOffset',
      topics: orders,
      steps: [
        three,
        deleteTo(2, { errorCode: 'NONE', lowWatermark: 2 }),
        deleteTo(1, { errorCode: 'NONE', lowWatermark: 2 }),
        listOffset('~orders', EARLIEST, { offset: 2 }),
      ],
    },
    {
      name: 'does not know a topic or a partition',
      source: 'KafkaApis.handleDeleteRecordsRequest',
      topics: orders,
      steps: [
        deleteTo(0, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', lowWatermark: -1 }, '~nothing'),
        deleteTo(0, { errorCode: 'UNKNOWN_TOPIC_OR_PARTITION', lowWatermark: -1 }, '~orders', 2),
      ],
    },
    {
      name: 'is against the policy of a topic that is only compacted',
      source: 'Partition.deleteRecordsOnLeader (PolicyViolationException)',
      topics: { table: { configs: { 'cleanup.policy': 'compact' } } },
      steps: [
        produce('~table', { keys: ['k'] }),
        deleteTo(1, { errorCode: 'POLICY_VIOLATION', lowWatermark: -1 }, '~table'),
      ],
    },
    {
      name: 'deletes of a topic that is compacted and deleted',
      source: 'Partition.deleteRecordsOnLeader',
      topics: { table: { configs: { 'cleanup.policy': 'compact,delete' } } },
      steps: [
        produce('~table', { keys: ['k'] }),
        deleteTo(1, { errorCode: 'NONE', lowWatermark: 1 }, '~table'),
      ],
    },
    {
      name: 'answers for each partition by itself',
      source: 'ReplicaManager.deleteRecords',
      topics: { orders: { partitions: 2 } },
      steps: [
        three,
        {
          api: 'DeleteRecords',
          body: {
            timeoutMs: 5000,
            topics: [
              {
                name: '~orders',
                partitions: [
                  { partitionIndex: 0, offset: 1 },
                  { partitionIndex: 1, offset: 1 },
                ],
              },
            ],
          },
          expect: {
            topics: [
              {
                partitions: contains(
                  { partitionIndex: 0, errorCode: 'NONE', lowWatermark: 1 },
                  { partitionIndex: 1, errorCode: 'OFFSET_OUT_OF_RANGE', lowWatermark: -1 },
                ),
              },
            ],
          },
        },
      ],
    },
  ],
}

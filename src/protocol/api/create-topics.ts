/**
 * CreateTopics: creates topics, or only checks whether they could be.
 */
import { array, bool, int16, int32, int8, string, uuid, defineApi } from '../schema.js'

export const createTopics = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string(),
      numPartitions: int32(),
      replicationFactor: int16(),
      assignments: array({
        partitionIndex: int32(),
        brokerIds: array(int32()),
      }),
      configs: array({
        name: string(),
        value: string({ nullable: 0 }),
      }),
    }),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    topics: array({
      name: string(),
      topicId: uuid({ since: 7, ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      topicConfigErrorCode: int16({ since: 5, tag: 0, ignorable: true }),
      numPartitions: int32({ since: 5, default: -1, ignorable: true }),
      replicationFactor: int16({ since: 5, default: -1, ignorable: true }),
      configs: array(
        {
          name: string({ since: 5 }),
          value: string({ since: 5, nullable: 5 }),
          readOnly: bool({ since: 5 }),
          configSource: int8({ since: 5, default: -1, ignorable: true }),
          isSensitive: bool({ since: 5 }),
        },
        { since: 5, nullable: 5, ignorable: true },
      ),
    }),
  },
})

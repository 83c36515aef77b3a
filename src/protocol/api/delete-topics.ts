/**
 * DeleteTopics: deletes topics and their records, by name or (from version 6 on) by id.
 */
import { array, int16, int32, string, uuid, defineApi } from '../schema.js'

export const deleteTopics = defineApi({
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexible: 4,
  request: {
    topics: array(
      {
        name: string({ since: 6, nullable: 6, default: null }),
        topicId: uuid({ since: 6 }),
      },
      { since: 6 },
    ),
    topicNames: array(string(), { until: 5, ignorable: true }),
    timeoutMs: int32(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      name: string({ nullable: 6 }),
      topicId: uuid({ since: 6, ignorable: true }),
      errorCode: int16(),
      errorMessage: string({ since: 5, nullable: 5, default: null, ignorable: true }),
    }),
  },
})

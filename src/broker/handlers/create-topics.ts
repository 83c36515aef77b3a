/**
 * CreateTopics: one topic after the other, each durable before it is answered. The answer comes when it is done;
 * timeoutMs is not needed.
 */
import type { createTopics } from '../../protocol/api/create-topics.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { ZERO_UUID } from '../../runtime/uuid.js'
import { topicConfigEntries } from '../configs/describe.js'
import { responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Result = ResponseOf<typeof createTopics>['topics'][number]
type Wanted = RequestOf<typeof createTopics>['topics'][number]

export const handleCreateTopics: Handler<typeof createTopics> = async (services, request) => {
  const counts = new Map<string, number>()
  for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1)
  const topics: Result[] = []
  for (const wanted of request.topics) {
    const count = counts.get(wanted.name) ?? 0
    counts.delete(wanted.name)
    if (count === 1) topics.push(await create(services, wanted, request.validateOnly))
    else if (count > 1)
      topics.push(failed(wanted.name, new OttlaError('INVALID_REQUEST', 'Duplicate topic name.')))
  }
  return { throttleTimeMs: 0, topics }
}

const create = async (services: BrokerServices, wanted: Wanted, validateOnly: boolean): Promise<Result> => {
  try {
    const topic = await services.topicChanges.create(wanted, { validateOnly })
    const defaultCount =
      wanted.assignments.length > 0
        ? wanted.assignments.length
        : wanted.numPartitions === -1
          ? services.configs['num.partitions']
          : wanted.numPartitions
    const configs = new Map(
      wanted.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
    )
    return {
      name: wanted.name,
      topicId: topic?.id ?? ZERO_UUID,
      errorCode: 0,
      errorMessage: null,
      numPartitions: topic?.partitions.length ?? defaultCount,
      replicationFactor: 1,
      configs: topicConfigEntries(configs, services.topicConfigs.brokerDefaults).map(
        ({ name, value, source }) => ({
          name,
          value,
          readOnly: false,
          configSource: source,
          isSensitive: false,
        }),
      ),
    }
  } catch (error) {
    return failed(wanted.name, error)
  }
}

const failed = (name: string, error: unknown): Result => ({
  name,
  topicId: ZERO_UUID,
  ...responseErrorOf(error),
  numPartitions: -1,
  replicationFactor: -1,
  configs: null,
})

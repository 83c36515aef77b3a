/** CreatePartitions: gives topics more partitions. Groups that subscribe to one of them are rebalanced. */
import type { createPartitions } from '../../protocol/api/create-partitions.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleCreatePartitions: Handler<typeof createPartitions> = async (services, request) => {
  const results: ResponseOf<typeof createPartitions>['results'][number][] = []
  const { validateOnly } = request
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name } of request.topics) {
    if (seen.has(name)) repeated.add(name)
    seen.add(name)
  }
  for (const name of repeated) {
    results.push({ name, ...responseErrorOf(new OttlaError('INVALID_REQUEST', 'Duplicate topic name.')) })
  }
  for (const { name, count, assignments } of request.topics) {
    if (repeated.has(name)) continue
    try {
      await services.topicChanges.addPartitions(name, count, assignments, { validateOnly })
      results.push({ name, errorCode: 0, errorMessage: null })
    } catch (error) {
      results.push({ name, ...responseErrorOf(error) })
    }
  }
  return { throttleTimeMs: 0, results }
}

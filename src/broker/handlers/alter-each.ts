/** What both requests that change configs have in common: the resources one after the other, and how each is answered. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ConfigTarget } from '../metadata/config-changes.js'
import { responseErrorOf, type ResponseError } from '../response-errors.js'

/** Changes `resources` one after the other; one that is named twice is not changed at all. */
export const alterEach = async <R extends ConfigTarget>(
  resources: readonly R[],
  alter: (resource: R) => Promise<void>,
): Promise<(ConfigTarget & ResponseError)[]> => {
  const counts = new Map<string, number>()
  const keyOf = ({ resourceType, resourceName }: ConfigTarget): string => `${resourceType} ${resourceName}`
  for (const resource of resources) counts.set(keyOf(resource), (counts.get(keyOf(resource)) ?? 0) + 1)
  const responses: (ConfigTarget & ResponseError)[] = []
  for (const resource of resources) {
    const { resourceType, resourceName } = resource
    let error: ResponseError = { errorCode: 0, errorMessage: null }
    try {
      if (counts.get(keyOf(resource)) !== 1) {
        throw new OttlaError('INVALID_REQUEST', `${resourceName} is named more than once.`)
      }
      await alter(resource)
    } catch (thrown) {
      error = responseErrorOf(thrown)
    }
    responses.push({ ...error, resourceType, resourceName })
  }
  return responses
}

/** DeleteGroups: removes groups that nobody is a member of, with what they committed; durable when it is answered. */
import type { deleteGroups } from '../../protocol/api/delete-groups.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleDeleteGroups: Handler<typeof deleteGroups> = async (services, request) => {
  const results: ResponseOf<typeof deleteGroups>['results'][number][] = []
  for (const groupId of new Set(request.groupsNames)) {
    let errorCode = 0
    try {
      await services.groups.delete(groupId)
    } catch (error) {
      errorCode = responseErrorOf(error).errorCode
    }
    results.push({ groupId, errorCode })
  }
  return { throttleTimeMs: 0, results }
}

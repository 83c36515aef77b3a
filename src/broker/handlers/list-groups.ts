/** ListGroups: all groups, or those in some states or of some types. */
import type { listGroups } from '../../protocol/api/list-groups.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleListGroups: Handler<typeof listGroups> = async (services, request) => {
  const states = new Set(request.statesFilter.map((state) => state.toLowerCase()))
  const types = new Set(request.typesFilter.map((type) => type.toLowerCase()))
  try {
    const groups = (await services.groups.list())
      .filter(({ type }) => types.size === 0 || types.has(type))
      .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
      .map(({ groupId, protocolType, state, type }) => ({
        groupId,
        protocolType: protocolType ?? '',
        groupState: state,
        groupType: type,
      }))
    return { throttleTimeMs: 0, errorCode: 0, groups }
  } catch (error) {
    return { throttleTimeMs: 0, errorCode: responseErrorOf(error).errorCode, groups: [] }
  }
}

/** ListGroups: all groups, or those in some states. All groups here are of the type `classic`. */
import type { listGroups } from '../../protocol/api/list-groups.js'
import { responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

const GROUP_TYPE = 'classic'

export const handleListGroups: Handler<typeof listGroups> = async (services, request) => {
  const states = new Set(request.statesFilter.map((state) => state.toLowerCase()))
  const types = new Set(request.typesFilter.map((type) => type.toLowerCase()))
  try {
    const all = types.size === 0 || types.has(GROUP_TYPE) ? await services.groups.list() : []
    const groups = all
      .filter(({ state }) => states.size === 0 || states.has(state.toLowerCase()))
      .map(({ groupId, protocolType, state }) => ({
        groupId,
        protocolType: protocolType ?? '',
        groupState: state,
        groupType: GROUP_TYPE,
      }))
    return { throttleTimeMs: 0, errorCode: 0, groups }
  } catch (error) {
    return { throttleTimeMs: 0, errorCode: responseErrorOf(error).errorCode, groups: [] }
  }
}

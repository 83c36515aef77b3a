/** DescribeGroups: state, protocol and members of classic groups. Authorized operations are not computed. */
import type { describeGroups } from '../../protocol/api/describe-groups.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { NO_BYTES } from '../groups/group-member.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Described = ResponseOf<typeof describeGroups>['groups'][number]

/** Kafka's "not asked for". */
const NO_OPERATIONS = -0x80000000
/** The first version that tells a group that does not exist from one that is dead. */
const NOT_FOUND_SINCE = 6

export const handleDescribeGroups: Handler<typeof describeGroups> = async (services, request, context) => {
  const groups: Described[] = []
  for (const groupId of request.groups) groups.push(await describe(services, groupId, context.apiVersion))
  return { throttleTimeMs: 0, groups }
}

const describe = async (
  services: BrokerServices,
  groupId: string,
  apiVersion: number,
): Promise<Described> => {
  try {
    const group = groupId === '' ? undefined : await services.groups.find(groupId)
    if (group === undefined) {
      const error = groupId === '' ? 'INVALID_GROUP_ID' : 'GROUP_ID_NOT_FOUND'
      const isTold = groupId === '' || apiVersion >= NOT_FOUND_SINCE
      const errorMessage = isTold && apiVersion >= NOT_FOUND_SINCE ? `Group ${groupId} not found.` : null
      return { ...empty(groupId, 'Dead'), errorCode: isTold ? codeOf(error) : 0, errorMessage }
    }
    const isChosen = group.state === 'Stable' || group.state === 'CompletingRebalance'
    return {
      ...empty(groupId, group.state),
      protocolType: group.protocolType ?? '',
      // Before a protocol is chosen, metadata and assignment of members mean nothing.
      protocolData: isChosen ? (group.protocolName ?? '') : '',
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: null,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isChosen ? member.metadataFor(group.protocolName) : NO_BYTES,
        memberAssignment: group.state === 'Stable' ? member.assignment : NO_BYTES,
      })),
    }
  } catch (error) {
    return { ...empty(groupId, ''), errorCode: responseErrorOf(error).errorCode }
  }
}

const empty = (groupId: string, groupState: string): Described => ({
  errorCode: 0,
  errorMessage: null,
  groupId,
  groupState,
  protocolType: '',
  protocolData: '',
  members: [],
  authorizedOperations: NO_OPERATIONS,
})

/** DescribeGroups: state, protocol and members of classic groups. */
import type { describeGroups } from '../../protocol/api/describe-groups.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { GROUP_OPERATIONS, OPERATIONS_NOT_ASKED_FOR } from '../authorized-operations.js'
import { ClassicGroup } from '../groups/classic/classic-group.js'
import { NO_BYTES } from '../groups/classic/group-member.js'
import { codeOf, responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Described = ResponseOf<typeof describeGroups>['groups'][number]

/** The first version that tells a group that does not exist from one that is dead. */
const NOT_FOUND_SINCE = 6

export const handleDescribeGroups: Handler<typeof describeGroups> = async (services, request, context) => {
  const operations = request.includeAuthorizedOperations ? GROUP_OPERATIONS : OPERATIONS_NOT_ASKED_FOR
  const groups: Described[] = []
  for (const groupId of request.groups) {
    const group = await describe(services, groupId, context.apiVersion)
    groups.push(group.errorCode === 0 ? { ...group, authorizedOperations: operations } : group)
  }
  return { throttleTimeMs: 0, groups }
}

const describe = async (
  services: BrokerServices,
  groupId: string,
  apiVersion: number,
): Promise<Described> => {
  try {
    const group = await services.groups.find(groupId)
    if (!(group instanceof ClassicGroup)) {
      const dead = empty(groupId, 'Dead')
      if (apiVersion < NOT_FOUND_SINCE) return dead
      const errorMessage = `Group ${groupId} ${group === undefined ? 'not found' : 'is not a classic group'}.`
      return { ...dead, errorCode: codeOf('GROUP_ID_NOT_FOUND'), errorMessage }
    }
    const isStable = group.state === 'Stable'
    return {
      ...empty(groupId, group.state),
      protocolType: group.protocolType ?? '',
      // Until all members know what is theirs, protocol, metadata and assignment mean nothing.
      protocolData: isStable ? (group.protocolName ?? '') : '',
      members: [...group.members.values()].map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        clientId: member.clientId,
        clientHost: member.clientHost,
        memberMetadata: isStable ? member.metadataFor(group.protocolName) : NO_BYTES,
        memberAssignment: isStable ? member.assignment : NO_BYTES,
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
  authorizedOperations: OPERATIONS_NOT_ASKED_FOR,
})

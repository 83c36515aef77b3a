/** Removing members from a group, above all static ones, which do not leave by themselves (KIP-345). */
import { leaveGroup } from '../../protocol/api/leave-group.js'
import type { Channel } from '../../protocol/channel.js'
import { errorFromKafkaCode, type OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions } from './admin-options.js'
import { askCoordinator } from './coordinator.js'
import { groupError } from './group-error.js'
import { askForGroup } from './groups.js'
import { Outcomes } from './outcomes.js'

/** A member to be removed: by the id that the coordinator gave it, or by the one of its configuration. */
export type MemberToRemove =
  | {
      /** The id that the coordinator gave it. */
      readonly memberId: string
    }
  | {
      /** The name that a static member gave itself (KIP-345). */
      readonly groupInstanceId: string
    }

/** How members are removed. */
export interface RemoveMembersOptions extends AdminOptions {
  /** Why, for the broker; default `member was removed by an admin`. At most 255 characters of it are sent. */
  readonly reason?: string
}

const DEFAULT_REASON = 'member was removed by an admin'
const MAX_REASON_LENGTH = 255

export const removeMembers = async (
  context: ClientContext,
  groupId: string,
  members: readonly MemberToRemove[] | 'all',
  { reason = DEFAULT_REASON, signal }: RemoveMembersOptions,
): Promise<void> => {
  const removed: readonly MemberToRemove[] =
    members === 'all' ? ((await askForGroup(context, groupId, signal))?.members ?? []) : members
  if (removed.length === 0) return
  const identities = removed.map((member) => ({
    memberId: 'memberId' in member ? member.memberId : '',
    groupInstanceId: 'memberId' in member ? null : member.groupInstanceId,
    reason: reason.slice(0, MAX_REASON_LENGTH),
  }))
  const request = { groupId, memberId: '', members: identities }
  const ask = async (coordinator: Channel) => {
    const answer = await coordinator.send(leaveGroup, request, { signal })
    if (answer.errorCode !== 0) throw groupError(groupId, answer.errorCode)
    return answer.members
  }
  const answers = await askCoordinator(context, { of: groupId, ask, signal })
  const outcomes = new Outcomes<string>(identities.map(nameOf))
  for (const { errorCode, ...identity } of answers) {
    const name = nameOf(identity)
    if (errorCode === 0) outcomes.succeed(name, name)
    else outcomes.fail(name, memberError(groupId, identity, errorCode))
  }
  outcomes.results()
}

interface MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
}

const nameOf = ({ memberId, groupInstanceId }: MemberIdentity): string => groupInstanceId ?? memberId

const memberError = (groupId: string, member: MemberIdentity, errorCode: number): OttlaError => {
  const { message } = errorFromKafkaCode(errorCode)
  const { memberId, groupInstanceId } = member
  return errorFromKafkaCode(errorCode, `Group ${groupId}, member ${nameOf(member)}: ${message}`, {
    details: groupInstanceId === null ? { groupId, memberId } : { groupId, groupInstanceId },
  })
}

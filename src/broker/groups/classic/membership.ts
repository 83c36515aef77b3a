/** Who may speak for a group: the checks of member, generation and state that joins, syncs and commits share. */
import type { joinGroup } from '../../../protocol/api/join-group.js'
import type { RequestOf } from '../../../protocol/schema.js'
import type { ErrorCode } from '../../../runtime/errors/error-table.js'
import type { ClassicGroup } from './classic-group.js'
import type { MemberTerms } from './group-member.js'

/** What a join says about its member. */
export const termsOf = (
  request: Pick<RequestOf<typeof joinGroup>, 'protocols' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs'>,
): MemberTerms => ({
  protocols: request.protocols,
  sessionTimeoutMs: request.sessionTimeoutMs,
  // Version 0 has no rebalance timeout: its session timeout is both.
  rebalanceTimeoutMs: request.rebalanceTimeoutMs < 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
})

/** Why nobody of this id, and of this instance id if there is one, is a member; undefined when somebody is. */
export const strangerError = (
  group: ClassicGroup | undefined,
  memberId: string,
  groupInstanceId: string | null,
): ErrorCode | undefined => {
  if (groupInstanceId !== null) {
    const present = group?.staticMembers.get(groupInstanceId)
    if (present !== undefined && present !== memberId) return 'FENCED_INSTANCE_ID'
    if (present === undefined) return 'UNKNOWN_MEMBER_ID'
  }
  return group?.members.has(memberId) === true ? undefined : 'UNKNOWN_MEMBER_ID'
}

/** Why someone is no member of this generation (G2); undefined when he is. */
export const memberError = (
  group: ClassicGroup | undefined,
  memberId: string,
  generation: number,
  groupInstanceId: string | null,
): ErrorCode | undefined => {
  if (group?.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  const stranger = strangerError(group, memberId, groupInstanceId)
  if (group === undefined || stranger !== undefined) return stranger ?? 'UNKNOWN_MEMBER_ID'
  return generation === group.generation ? undefined : 'ILLEGAL_GENERATION'
}

/** Why a commit is refused (G2); undefined when it is not. A commit without a member is for groups without members. */
export const commitError = (
  group: ClassicGroup,
  memberId: string,
  generation: number,
  groupInstanceId: string | null,
): ErrorCode | undefined => {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (generation < 0 && group.state === 'Empty') return undefined
  return (
    memberError(group, memberId, generation, groupInstanceId) ??
    (group.state === 'CompletingRebalance' ? 'REBALANCE_IN_PROGRESS' : undefined)
  )
}

/** The same for a commit in a transaction, which clients before KIP-447 make without saying who they are. */
export const transactionalCommitError = (
  group: ClassicGroup,
  memberId: string,
  generation: number,
  groupInstanceId: string | null,
): ErrorCode | undefined => {
  if (group.state === 'Dead') return 'COORDINATOR_NOT_AVAILABLE'
  if (generation < 0 && memberId === '' && groupInstanceId === null) return undefined
  return memberError(group, memberId, generation, groupInstanceId)
}

/** Responses of the group APIs that tell of an error and nothing else, filled as Kafka fills them. */
import type { joinGroup } from '../../../protocol/api/join-group.js'
import type { syncGroup } from '../../../protocol/api/sync-group.js'
import type { ResponseOf } from '../../../protocol/schema.js'
import type { ErrorCode } from '../../../runtime/errors/error-table.js'
import { codeOf } from '../../response-errors.js'
import { NO_BYTES } from './group-member.js'

export type JoinResponse = ResponseOf<typeof joinGroup>
export type SyncResponse = ResponseOf<typeof syncGroup>

/** A join that failed, or that gives the member its id. */
export const joinError = (error: ErrorCode, memberId: string): JoinResponse => ({
  throttleTimeMs: 0,
  errorCode: codeOf(error),
  generationId: -1,
  protocolType: null,
  // Before version 7 the name cannot be null.
  protocolName: '',
  leader: '',
  skipAssignment: false,
  memberId,
  members: [],
})

/** A sync that failed. */
export const syncError = (error: ErrorCode): SyncResponse => ({
  throttleTimeMs: 0,
  errorCode: codeOf(error),
  protocolType: null,
  protocolName: null,
  assignment: NO_BYTES,
})

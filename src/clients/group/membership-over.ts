/** Which errors say that a member's time in a generation is over. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/** Answers after which joining again is the thing to do. */
export const REJOIN_CODES: ReadonlySet<string> = new Set([
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
])
/** Whether `error` says that the generation is over, so that what was asked of it has to wait for the next one. */
export const isMembershipOver = (error: unknown): boolean =>
  OttlaError.is(error) && REJOIN_CODES.has(error.code)

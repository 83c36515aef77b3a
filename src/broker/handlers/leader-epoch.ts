/** The check of the leader epoch that a client believes in (KIP-320). */
import type { ErrorCode } from '../../runtime/errors/error-table.js'

/** Why `claimed` is not the epoch; undefined when it is, or when the client does not tell (-1). */
export const leaderEpochError = (leaderEpoch: number, claimed: number): ErrorCode | undefined => {
  if (claimed < 0 || claimed === leaderEpoch) return undefined
  return claimed < leaderEpoch ? 'FENCED_LEADER_EPOCH' : 'UNKNOWN_LEADER_EPOCH'
}

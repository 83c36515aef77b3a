/** AlterUserScramCredentials: sets and removes SCRAM credentials. */
import type { alterUserScramCredentials } from '../../protocol/api/alter-user-scram-credentials.js'
import { alterScramCredentials } from '../credentials/scram-changes.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleAlterUserScramCredentials: Handler<typeof alterUserScramCredentials> = async (
  { metadata },
  request,
) => {
  const results = await alterScramCredentials(metadata, request)
  return {
    throttleTimeMs: 0,
    results: [...results].map(([user, error]) => ({
      user,
      ...(error === undefined ? NO_ERROR : responseErrorOf(error)),
    })),
  }
}

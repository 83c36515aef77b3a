/** CreateAcls: adds access control entries, each for itself. */
import type { createAcls } from '../../protocol/api/create-acls.js'
import { addAcls } from '../authorizer/acl-changes.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleCreateAcls: Handler<typeof createAcls> = async ({ metadata, random }, { creations }) => {
  const errors = await addAcls(metadata, creations, random)
  return {
    throttleTimeMs: 0,
    results: errors.map((error) => (error === undefined ? NO_ERROR : responseErrorOf(error))),
  }
}

/** DeleteAcls: removes the access control entries that filters let through, and says which those were. */
import type { deleteAcls } from '../../protocol/api/delete-acls.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { removeAcls } from '../authorizer/acl-changes.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleDeleteAcls: Handler<typeof deleteAcls> = async ({ metadata }, { filters }) => {
  const found = await removeAcls(metadata, filters)
  return {
    throttleTimeMs: 0,
    filterResults: found.map((acls) =>
      acls instanceof OttlaError
        ? { ...responseErrorOf(acls), matchingAcls: [] }
        : { ...NO_ERROR, matchingAcls: acls.map((acl) => ({ ...NO_ERROR, ...acl })) },
    ),
  }
}

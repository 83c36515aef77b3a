/**
 * DeleteAcls: removes the access control entries that filters let through (KIP-140, KIP-290).
 */
import { array, int16, int32, int8, string, defineApi } from '../schema.js'

export const deleteAcls = defineApi({
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    filters: array({
      resourceTypeFilter: int8(),
      resourceNameFilter: string({ nullable: 0 }),
      patternTypeFilter: int8({ default: 3 }),
      principalFilter: string({ nullable: 0 }),
      hostFilter: string({ nullable: 0 }),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    filterResults: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      matchingAcls: array({
        errorCode: int16(),
        errorMessage: string({ nullable: 0 }),
        resourceType: int8(),
        resourceName: string(),
        patternType: int8({ default: 3 }),
        principal: string(),
        host: string(),
        operation: int8(),
        permissionType: int8(),
      }),
    }),
  },
})

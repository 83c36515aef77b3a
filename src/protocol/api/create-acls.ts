/**
 * CreateAcls: adds access control entries; one that is there already is there once (KIP-140, KIP-290).
 */
import { array, int16, int32, int8, string, defineApi } from '../schema.js'

export const createAcls = defineApi({
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8(),
      resourceName: string(),
      resourcePatternType: int8({ default: 3 }),
      principal: string(),
      host: string(),
      operation: int8(),
      permissionType: int8(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
    }),
  },
})

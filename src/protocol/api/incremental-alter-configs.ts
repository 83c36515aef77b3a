/**
 * IncrementalAlterConfigs (KIP-339): changes single settings of a topic or broker. `configOperation` is 0 to set, 1 to
 * delete, 2 to append to a list and 3 to subtract from one.
 */
import { array, bool, int16, int32, int8, string, defineApi } from '../schema.js'

export const incrementalAlterConfigs = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), configOperation: int8(), value: string({ nullable: 0 }) }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
})

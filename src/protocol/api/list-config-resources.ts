/**
 * ListConfigResources: what there is to be configured, by type (KIP-1142). Version 0 knows client metrics alone.
 */
import { array, int16, int32, int8, string, defineApi } from '../schema.js'

export const listConfigResources = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexible: 0,
  request: {
    resourceTypes: array(int8(), { since: 1 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    configResources: array({
      resourceName: string(),
      resourceType: int8({ since: 1, default: 16, ignorable: true }),
    }),
  },
})

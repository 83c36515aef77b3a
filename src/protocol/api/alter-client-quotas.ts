/** AlterClientQuotas: sets and removes quotas of users and client ids (KIP-546); a name of null is the default. */
import { array, bool, float64, int16, int32, string, defineApi } from '../schema.js'

export const alterClientQuotas = defineApi({
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexible: 1,
  request: {
    entries: array({
      entity: array({ entityType: string(), entityName: string({ nullable: 0 }) }),
      ops: array({ key: string(), value: float64(), remove: bool() }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    entries: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      entity: array({ entityType: string(), entityName: string({ nullable: 0 }) }),
    }),
  },
})

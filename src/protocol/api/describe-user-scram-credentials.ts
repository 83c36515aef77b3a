/**
 * DescribeUserScramCredentials: which SCRAM mechanisms users have credentials for (KIP-554), never the credentials.
 */
import { array, int16, int32, int8, string, defineApi } from '../schema.js'

export const describeUserScramCredentials = defineApi({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: { users: array({ name: string() }, { nullable: 0 }) },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      credentialInfos: array({ mechanism: int8(), iterations: int32() }),
    }),
  },
})

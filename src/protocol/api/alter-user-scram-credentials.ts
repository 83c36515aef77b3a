/**
 * AlterUserScramCredentials: sets and removes the SCRAM credentials of users (KIP-554). A password never travels: the
 * client salts and hashes it.
 */
import { array, bytes, int16, int32, int8, string, defineApi } from '../schema.js'

export const alterUserScramCredentials = defineApi({
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: {
    deletions: array({ name: string(), mechanism: int8() }),
    upsertions: array({
      name: string(),
      mechanism: int8(),
      iterations: int32(),
      salt: bytes(),
      saltedPassword: bytes(),
    }),
  },
  response: {
    throttleTimeMs: int32(),
    results: array({ user: string(), errorCode: int16(), errorMessage: string({ nullable: 0 }) }),
  },
})

/**
 * SaslAuthenticate: carries one message of a SASL mechanism there and one back (KIP-152). From version 1 on the answer
 * says how long the session lasts before the client has to authenticate again (KIP-368).
 */
import { bytes, int16, int64, string, defineApi } from '../schema.js'

export const saslAuthenticate = defineApi({
  key: 36,
  name: 'SaslAuthenticate',
  versions: [0, 2],
  flexible: 2,
  request: { authBytes: bytes() },
  response: {
    errorCode: int16(),
    errorMessage: string({ nullable: 0 }),
    authBytes: bytes(),
    sessionLifetimeMs: int64({ since: 1, ignorable: true }),
  },
})

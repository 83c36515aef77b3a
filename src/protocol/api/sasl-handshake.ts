/**
 * SaslHandshake: names the SASL mechanism that the connection authenticates by. Version 0 is followed by bare tokens in
 * frames of their own, version 1 by SaslAuthenticate (KIP-43, KIP-152).
 */
import { array, int16, string, defineApi } from '../schema.js'

export const saslHandshake = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: [0, 1],
  flexible: Number.POSITIVE_INFINITY,
  request: { mechanism: string() },
  response: { errorCode: int16(), mechanisms: array(string()) },
})

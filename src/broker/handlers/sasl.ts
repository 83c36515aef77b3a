/**
 * SaslHandshake and SaslAuthenticate where they have no place: a listener with SASL takes them before they come here,
 * so whoever gets here has authenticated already, or need not.
 */
import type { saslAuthenticate } from '../../protocol/api/sasl-authenticate.js'
import type { saslHandshake } from '../../protocol/api/sasl-handshake.js'
import { codeOf } from '../response-errors.js'
import type { Handler } from './handler.js'

export const handleSaslHandshake: Handler<typeof saslHandshake> = () => ({
  errorCode: codeOf('ILLEGAL_SASL_STATE'),
  mechanisms: [],
})

export const handleSaslAuthenticate: Handler<typeof saslAuthenticate> = () => ({
  errorCode: codeOf('ILLEGAL_SASL_STATE'),
  errorMessage: 'SaslAuthenticate request received after successful authentication',
  authBytes: new Uint8Array(0),
  sessionLifetimeMs: 0,
})

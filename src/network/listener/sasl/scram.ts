/**
 * SCRAM (RFC 5802), the server's side, without channel binding. A user that there is none of is asked for a proof as
 * any other, with a salt that is always the same for a name, and refused only then: neither the answers nor the work
 * tell who exists.
 */
import { hashOf, hmacOf, timingSafeEqual } from '../../../runtime/crypto.js'
import { fromBase64, toBase64 } from '../../../runtime/base64.js'
import { readUtf8, toUtf8 } from '../../../runtime/bytes.js'
import type { Random } from '../../../runtime/random.js'
import {
  SCRAM_ITERATIONS,
  SCRAM_SALT_BYTES,
  scramHash,
  type ScramMechanism,
} from '../../../protocol/scram.js'
import type { ScramCredential } from '../../../broker/credentials/scram-credentials.js'
import { invalidToken, refusal, type SaslExchange, type SaslReply } from './exchange.js'

/** What SCRAM works with. */
export interface ScramParts {
  readonly mechanism: ScramMechanism
  readonly random: Random
  /** What salts of users that do not exist are made of; stays the same, and secret. */
  readonly secret: Uint8Array
  credential(user: string, mechanism: ScramMechanism): ScramCredential | undefined
}

const NONCE_BYTES = 24

const NAME = String.raw`(?:[\x01-\x2b\x2d-\x3c\x3e-\u{10ffff}]|=2C|=3D)+`
const PRINTABLE = String.raw`[\x21-\x2b\x2d-\x7e]+`
const EXTENSIONS = String.raw`(?:,[A-Za-z]=[\x01-\x2b\x2d-\u{10ffff}]+)*`
/** The header that says how channels are bound, then the message proper. `p` would ask for a binding, `m` for an extension. */
const CLIENT_FIRST = new RegExp(`^([ny],(?:a=(${NAME}))?,)(n=(${NAME}),r=(${PRINTABLE})${EXTENSIONS})$`, 'u')
const CLIENT_FINAL = new RegExp(
  `^(c=([A-Za-z0-9+/=]+),r=(${PRINTABLE})${EXTENSIONS}),p=([A-Za-z0-9+/=]+)$`,
  'u',
)

/** What the server has asked for. */
interface Challenge {
  readonly user: string
  readonly credential: ScramCredential
  readonly isKnown: boolean
  readonly header: string
  readonly clientFirst: string
  readonly serverFirst: string
  readonly nonce: string
}

/** One authentication by SCRAM. */
export class ScramExchange implements SaslExchange {
  readonly #parts: ScramParts
  #challenge: Challenge | undefined

  constructor(parts: ScramParts) {
    this.#parts = parts
  }

  async respond(token: Uint8Array): Promise<SaslReply> {
    const message = readUtf8(token, 0, token.length)
    if (this.#challenge !== undefined) return this.#finish(message, this.#challenge)
    this.#challenge = await this.#begin(message)
    return { token: toUtf8(this.#challenge.serverFirst) }
  }

  async #begin(message: string): Promise<Challenge> {
    const { mechanism, random } = this.#parts
    const [, header, authorizationId, clientFirst, name, clientNonce] = CLIENT_FIRST.exec(message) ?? []
    if (header === undefined || clientFirst === undefined || name === undefined || clientNonce === undefined)
      throw invalidToken(`The first message of ${mechanism} is not of the form n,,n=user,r=nonce.`)
    const user = unescaped(name)
    if (authorizationId !== undefined && unescaped(authorizationId) !== user)
      throw refusal(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    const madeUp = await this.#madeUp(user)
    const known = this.#parts.credential(user, mechanism)
    const credential = known ?? madeUp
    const nonce = clientNonce + toBase64(random.bytes(NONCE_BYTES))
    const serverFirst = `r=${nonce},s=${toBase64(credential.salt)},i=${credential.iterations}`
    return { user, credential, isKnown: known !== undefined, header, clientFirst, serverFirst, nonce }
  }

  async #finish(message: string, challenge: Challenge): Promise<SaslReply> {
    const hash = scramHash(this.#parts.mechanism)
    const { user, credential, isKnown, header, clientFirst, serverFirst } = challenge
    const [, withoutProof, binding, nonce, proofText] = CLIENT_FINAL.exec(message) ?? []
    const proof = fromBase64(proofText ?? '')
    if (withoutProof === undefined || proof?.length !== credential.storedKey.length)
      throw invalidToken('The final message is not of the form c=binding,r=nonce,p=proof.')
    if (nonce !== challenge.nonce) throw invalidToken('The final message has another nonce.')
    if (binding !== toBase64(toUtf8(header)))
      throw invalidToken('The final message binds another channel than the first one said.')
    const authMessage = toUtf8(`${clientFirst},${serverFirst},${withoutProof}`)
    const signature = await hmacOf(hash, credential.storedKey, authMessage)
    const clientKey = proof.map((byte, at) => byte ^ (signature[at] ?? 0))
    const isRight = timingSafeEqual(await hashOf(hash, clientKey), credential.storedKey)
    const serverSignature = await hmacOf(hash, credential.serverKey, authMessage)
    if (!isRight || !isKnown) throw invalidToken('The proof is wrong, or there is no such user.')
    return { token: toUtf8(`v=${toBase64(serverSignature)}`), identity: { name: user } }
  }

  /** What a user would have that there is none of. Nobody has the password. */
  async #madeUp(user: string): Promise<ScramCredential> {
    const { mechanism, secret } = this.#parts
    const key = await hmacOf(scramHash(mechanism), secret, toUtf8(user))
    return {
      salt: key.slice(0, SCRAM_SALT_BYTES),
      iterations: SCRAM_ITERATIONS.min,
      storedKey: key,
      serverKey: key,
    }
  }
}

const unescaped = (name: string): string => name.replaceAll('=2C', ',').replaceAll('=3D', '=')

/** SASL PLAIN (RFC 4616): a user and a password, as they are. */
import { readUtf8, toUtf8 } from '../../../runtime/bytes.js'
import { hashOf, timingSafeEqual } from '../../../runtime/crypto.js'
import { invalidVerdict, refusal, type SaslClient, type SaslExchange, type SaslReply } from './exchange.js'

/** What a client says by PLAIN. */
export interface PlainCredentials {
  /** The user's name. */
  readonly username: string
  /** The password, as the user typed it. */
  readonly password: string
}

/** Whether the password is the user's. What it throws is a refusal too. */
export type PlainVerifier = (credentials: PlainCredentials, client: SaslClient) => boolean | Promise<boolean>

const NOTHING = new Uint8Array(0)

/** One authentication by PLAIN. */
export class PlainExchange implements SaslExchange {
  readonly #verify: PlainVerifier
  readonly #client: SaslClient

  constructor(verify: PlainVerifier, client: SaslClient) {
    this.#verify = verify
    this.#client = client
  }

  async respond(token: Uint8Array): Promise<SaslReply> {
    const parts = readUtf8(token, 0, token.length).split('\0')
    const [authorizationId = '', username = '', password = ''] = parts
    if (parts.length !== 3)
      throw refusal(`Invalid SASL/PLAIN response: expected 3 tokens, got ${parts.length}`)
    if (username === '') throw refusal('Authentication failed: username not specified')
    if (password === '') throw refusal('Authentication failed: password not specified')
    if (authorizationId !== '' && authorizationId !== username)
      throw refusal(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    // A user that was found, say, is true enough for JavaScript, and says nothing of the password.
    const isRight: unknown = await this.#verify({ username, password }, this.#client)
    if (typeof isRight !== 'boolean') throw invalidVerdict('plain', 'true or false')
    if (!isRight) throw refusal('Authentication failed: Invalid username or password')
    return { token: NOTHING, identity: { name: username } }
  }
}

/** A verifier over passwords by user; it takes as long for a user that there is none of. */
export const plainUsers = (users: Readonly<Record<string, string>>): PlainVerifier => {
  const passwords = new Map(Object.entries(users))
  return async ({ username, password }) => {
    const expected = passwords.get(username)
    // Of hashes the lengths are the same, and where they differ says nothing of where the passwords do.
    const [given, known] = await Promise.all(
      [password, expected ?? ''].map((text) => hashOf('SHA-256', toUtf8(text))),
    )
    return (
      given !== undefined && known !== undefined && timingSafeEqual(given, known) && expected !== undefined
    )
  }
}

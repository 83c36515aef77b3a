/** The SCRAM credentials of users: what the metadata log says of them, by user and mechanism. */
import { SCRAM_TYPES, type ScramKeys, type ScramMechanism } from '../../protocol/scram.js'
import type {
  removeUserScramCredentialRecord,
  userScramCredentialRecord,
} from '../../protocol/metadata-records.js'
import type { RecordOf } from '../../protocol/schema.js'

/** What there is of a user's password for one mechanism. */
export interface ScramCredential extends ScramKeys {
  readonly salt: Uint8Array
  readonly iterations: number
}

/** All credentials. */
export class ScramCredentials {
  /** By the user's name, then by the mechanism's number. */
  readonly #byUser = new Map<string, Map<number, ScramCredential>>()

  /** The names of all users that have any. */
  get users(): Iterable<string> {
    return this.#byUser.keys()
  }

  /** A user's credential of one mechanism. */
  get(user: string, mechanism: ScramMechanism): ScramCredential | undefined {
    return this.#byUser.get(user)?.get(SCRAM_TYPES[mechanism])
  }

  /** A user's credentials by the numbers of their mechanisms; undefined when there are none. */
  of(user: string): ReadonlyMap<number, ScramCredential> | undefined {
    return this.#byUser.get(user)
  }

  set({ name, mechanism, ...credential }: RecordOf<typeof userScramCredentialRecord>): void {
    const credentials = this.#byUser.get(name) ?? new Map<number, ScramCredential>()
    credentials.set(mechanism, credential)
    this.#byUser.set(name, credentials)
  }

  remove({ name, mechanism }: RecordOf<typeof removeUserScramCredentialRecord>): void {
    const credentials = this.#byUser.get(name)
    credentials?.delete(mechanism)
    if (credentials?.size === 0) this.#byUser.delete(name)
  }
}

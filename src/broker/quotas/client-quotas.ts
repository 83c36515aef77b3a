/** The quotas of clients: what the metadata log says of them, and which of them holds for a client. */
import type { clientQuotaRecord } from '../../protocol/metadata-records.js'
import type { RecordOf } from '../../protocol/schema.js'

/** The quotas that are kept: bytes a second for the first two, percent of the event loop's time for the third. */
export const QUOTA_KEYS = ['producer_byte_rate', 'consumer_byte_rate', 'request_percentage'] as const

/** What a quota limits. */
export type QuotaKey = (typeof QUOTA_KEYS)[number]

/** Whom quotas are for: a user, a client id, or a client id of a user. null is whoever has none of its own. */
export interface QuotaEntity {
  readonly user?: string | null
  readonly clientId?: string | null
}

/** Who asks. */
export interface QuotaClient {
  /** The name of the user, without `User:`. */
  readonly user: string
  /** What the client calls itself; empty when it gave no name. */
  readonly clientId: string
}

/** The quota that holds for a client, and with whom it shares it. */
export interface ClientLimit {
  /** A second. */
  readonly limit: number
  /** The user whose clients share it; undefined where all users do. */
  readonly user: string | undefined
  /** The client id that shares it; undefined where all of the user's do. */
  readonly clientId: string | undefined
}

type Name = string | null | undefined

/** The entity types of the protocol by their names here. */
export const ENTITY_TYPES = { user: 'user', clientId: 'client-id' } as const

/** All quotas. */
export class ClientQuotas {
  /** By user, then by client id; undefined is an entity without one. */
  readonly #byUser = new Map<Name, Map<Name, Map<string, number>>>()

  /** Whether there is none. */
  get isEmpty(): boolean {
    return this.#byUser.size === 0
  }

  /** All entities that have quotas, each with them. */
  *entries(): Iterable<readonly [QuotaEntity, ReadonlyMap<string, number>]> {
    for (const [user, byClientId] of this.#byUser) {
      for (const [clientId, values] of byClientId) {
        yield [
          { ...(user === undefined ? {} : { user }), ...(clientId === undefined ? {} : { clientId }) },
          values,
        ]
      }
    }
  }

  /** The quotas of exactly this entity; undefined when it has none. */
  get({ user, clientId }: QuotaEntity): ReadonlyMap<string, number> | undefined {
    return this.#byUser.get(user)?.get(clientId)
  }

  /** What holds for a client; undefined when nothing does. The most specific counts, as in Kafka a user before a client id. */
  limitOf(key: QuotaKey, { user, clientId }: QuotaClient): ClientLimit | undefined {
    const value = (of: Name, by: Name): number | undefined => this.#byUser.get(of)?.get(by)?.get(key)
    /** Of a client id, its own or the default one; a client without a name has neither. */
    const ofClient = (of: Name): number | undefined =>
      clientId === '' ? undefined : (value(of, clientId) ?? value(of, null))
    for (const level of [user, null]) {
      const own = ofClient(level)
      if (own !== undefined) return { limit: own, user, clientId }
      const shared = value(level, undefined)
      if (shared !== undefined) return { limit: shared, user, clientId: undefined }
    }
    const limit = ofClient(undefined)
    return limit === undefined ? undefined : { limit, user: undefined, clientId }
  }

  /** Applies a record of the log. */
  apply({ entity, key, value, remove }: RecordOf<typeof clientQuotaRecord>): void {
    const nameOf = (type: string): Name => entity.find(({ entityType }) => entityType === type)?.entityName
    const user = nameOf(ENTITY_TYPES.user)
    const clientId = nameOf(ENTITY_TYPES.clientId)
    const byClientId = this.#byUser.get(user) ?? new Map<Name, Map<string, number>>()
    const values = byClientId.get(clientId) ?? new Map<string, number>()
    if (remove) values.delete(key)
    else values.set(key, value)
    if (values.size > 0) byClientId.set(clientId, values)
    else byClientId.delete(clientId)
    if (byClientId.size > 0) this.#byUser.set(user, byClientId)
    else this.#byUser.delete(user)
  }
}

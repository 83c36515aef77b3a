/** Admin requests about the quotas of clients (KIP-546). */
import { alterClientQuotas as alterApi } from '../../protocol/api/alter-client-quotas.js'
import { describeClientQuotas as describeApi } from '../../protocol/api/describe-client-quotas.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions, ChangeOptions } from './admin-options.js'
import { Outcomes } from './outcomes.js'

/**
 * Whom quotas are for: `{ user: 'alice' }`, `{ 'client-id': 'shop' }`, or both for one client id of a user. null is the
 * default: whoever has no quota of its own.
 */
export interface ClientQuotaEntity {
  /** A user as it authenticates, without `User:`; `ANONYMOUS` is who does not. */
  readonly user?: string | null
  /** What a client calls itself (`client.id`). */
  readonly 'client-id'?: string | null
}

/** What an entity has to have for a filter to let it through. */
export interface ClientQuotaFilterComponent {
  /** A user or a client id. */
  readonly entityType: keyof ClientQuotaEntity
  /** Its name, null for the default; left out, any name and the default. */
  readonly match?: string | null
}

/** Which entities are meant: those that have all components; all entities when there are none. */
export interface ClientQuotaFilter {
  /** What they have. */
  readonly components?: readonly ClientQuotaFilterComponent[]
  /** Whether entities are left out that have more than what the components name; default false. */
  readonly strict?: boolean
}

/**
 * What is limited: `producer_byte_rate` the bytes of produce requests a second, `consumer_byte_rate` those of fetch
 * responses, `request_percentage` how much of the event loop's time requests take, in percent.
 */
export type ClientQuotaKey = 'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage'

/** The quotas of an entity. */
export interface ClientQuotasDescription {
  /** Whom they are for. */
  readonly entity: ClientQuotaEntity
  /** Those that it has. */
  readonly quotas: Readonly<Partial<Record<ClientQuotaKey, number>>>
}

/** A quota to be set or removed. */
export interface ClientQuotaOp {
  /** What is limited. */
  readonly key: ClientQuotaKey
  /** The new value, greater than 0, of bytes a whole number; null removes the quota. */
  readonly value: number | null
}

/** A change of an entity's quotas; what it does not name stays. */
export interface ClientQuotaAlteration {
  /** Whom they are for. */
  readonly entity: ClientQuotaEntity
  /** What is changed. */
  readonly ops: readonly ClientQuotaOp[]
}

/** How the protocol says how a name is meant. */
const MATCH_TYPES = { exact: 0, default: 1, any: 2 } as const

export const describeClientQuotas = async (
  { cluster }: ClientContext,
  { components = [], strict = false }: ClientQuotaFilter,
  { signal }: AdminOptions,
): Promise<readonly ClientQuotasDescription[]> => {
  const request = {
    components: components.map(({ entityType, match }) => {
      if (match === undefined) return { entityType, matchType: MATCH_TYPES.any, match: null }
      return { entityType, matchType: match === null ? MATCH_TYPES.default : MATCH_TYPES.exact, match }
    }),
    strict,
  }
  const channel = await cluster.any({ signal })
  const { errorCode, errorMessage, entries } = await channel.send(describeApi, request, { signal })
  if (errorCode !== 0) throw errorFromKafkaCode(errorCode, errorMessage)
  return (entries ?? []).map(({ entity, values }) => ({
    entity: Object.fromEntries(entity.map(({ entityType, entityName }) => [entityType, entityName])),
    quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
  }))
}

export const alterClientQuotas = async (
  { cluster }: ClientContext,
  alterations: readonly ClientQuotaAlteration[],
  { validateOnly = false, signal }: ChangeOptions,
): Promise<void> => {
  const entries = alterations.map(({ entity, ops }) => ({
    entity: partsOf(entity).map(([entityType, entityName]) => ({ entityType, entityName })),
    ops: ops.map(({ key, value }) => ({ key, value: value ?? 0, remove: value === null })),
  }))
  const controller = await cluster.controller({ signal })
  const response = await controller.send(alterApi, { entries, validateOnly }, { signal })
  const outcomes = new Outcomes<string>(alterations.map(({ entity }) => nameOf(partsOf(entity))))
  for (const { entity, errorCode, errorMessage } of response.entries) {
    const name = nameOf(entity.map(({ entityType, entityName }) => [entityType, entityName]))
    if (errorCode === 0) {
      outcomes.succeed(name, name)
      continue
    }
    const meaning = errorMessage ?? errorFromKafkaCode(errorCode).message
    outcomes.fail(
      name,
      errorFromKafkaCode(errorCode, `Quotas of ${name}: ${meaning}`, { details: { entity: name } }),
    )
  }
  outcomes.results()
}

const partsOf = (entity: ClientQuotaEntity): readonly (readonly [string, string | null])[] =>
  Object.entries(entity).flatMap(([type, name]) => (name === undefined ? [] : [[type, name] as const]))

/** As in `user alice, client-id <default>`. */
const nameOf = (entity: readonly (readonly [string, string | null])[]): string =>
  entity.map(([type, name]) => `${type} ${name ?? '<default>'}`).join(', ')

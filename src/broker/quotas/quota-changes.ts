/** Setting and removing quotas: Kafka's checks, then one durable change of the metadata (KIP-546). */
import type { alterClientQuotas } from '../../protocol/api/alter-client-quotas.js'
import type { RequestOf } from '../../protocol/schema.js'
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import type { MetadataChange } from '../metadata/metadata-log.js'
import { ENTITY_TYPES, QUOTA_KEYS, type QuotaEntity } from './client-quotas.js'

type AlterRequest = RequestOf<typeof alterClientQuotas>
type Alteration = AlterRequest['entries'][number]
type Entity = Alteration['entity']
type Operation = Alteration['ops'][number]

/** What has become of one entity; its error is undefined when it was changed. */
export interface QuotaAlterationResult {
  readonly entity: Entity
  readonly error: OttlaError | undefined
}

/** Bytes a second have no fractions. */
const WHOLE_KEYS: ReadonlySet<string> = new Set(['producer_byte_rate', 'consumer_byte_rate'])

/**
 * Carries out what can be done of `request`, each entity as a whole or not at all, and resolves to what has become of
 * each. One that is named twice is not changed.
 */
export const alterQuotas = (
  metadata: ClusterMetadata,
  { entries, validateOnly }: AlterRequest,
): Promise<readonly QuotaAlterationResult[]> =>
  metadata.exclusive(async () => {
    const counts = new Map<string, number>()
    for (const { entity } of entries) counts.set(keyOf(entity), (counts.get(keyOf(entity)) ?? 0) + 1)
    const changes: MetadataChange[] = []
    const results = entries.map(({ entity, ops }): QuotaAlterationResult => {
      try {
        if (counts.get(keyOf(entity)) !== 1)
          throw invalid('An entity cannot be altered twice in one request.')
        changes.push(...changesOf(metadata, entity, ops))
        return { entity, error: undefined }
      } catch (error) {
        if (!OttlaError.is(error)) throw error
        return { entity, error }
      }
    })
    if (!validateOnly && changes.length > 0) await metadata.commit(changes)
    return results
  })

const changesOf = (
  metadata: ClusterMetadata,
  entity: Entity,
  ops: readonly Operation[],
): MetadataChange[] => {
  const current = metadata.clientQuotas.get(quotaEntityOf(entity))
  const keys = new Set<string>()
  return ops.flatMap(({ key, value, remove }): MetadataChange[] => {
    if (keys.has(key)) throw invalid(`The quota ${key} is named more than once.`)
    keys.add(key)
    if (!remove) checkValue(key, value)
    if (current?.get(key) === (remove ? undefined : value)) return []
    return [{ type: 'clientQuota', record: { entity, key, value: remove ? 0 : value, remove } }]
  })
}

const quotaEntityOf = (entity: Entity): QuotaEntity => {
  if (entity.length === 0) throw invalid('The entity is empty; expected a user, a client-id or both.')
  const names = new Map<string, string | null>()
  for (const { entityType, entityName } of entity) {
    if (names.has(entityType)) throw invalid(`The entity has more than one ${entityType}.`)
    names.set(entityType, entityName)
    if (entityName === '')
      throw invalid(`The name of the ${entityType} is empty; expected a name, or null for the default.`)
    if (entityType !== ENTITY_TYPES.user && entityType !== ENTITY_TYPES.clientId)
      throw invalid(
        `Quotas of the entity type ${show(entityType)} are not supported; expected user or client-id.`,
      )
  }
  const user = names.get(ENTITY_TYPES.user)
  const clientId = names.get(ENTITY_TYPES.clientId)
  return { ...(user === undefined ? {} : { user }), ...(clientId === undefined ? {} : { clientId }) }
}

const checkValue = (key: string, value: number): void => {
  if (!QUOTA_KEYS.some((known) => known === key))
    throw invalid(`The quota ${show(key)} is not supported; expected ${QUOTA_KEYS.join(', ')}.`)
  if (!(value > 0) || value === Infinity)
    throw invalid(`The quota ${key} is ${value}; expected a number greater than 0.`)
  if (!WHOLE_KEYS.has(key)) return
  if (!Number.isInteger(value) || value > 2 ** 63)
    throw invalid(`The quota ${key} is ${value}; expected a whole number up to 2^63.`)
}

/** Which entity is meant, in whatever order its parts are named. */
const keyOf = (entity: Entity): string =>
  JSON.stringify(entity.map(({ entityType, entityName }) => [entityType, entityName]).sort())

const invalid = (message: string): OttlaError => new OttlaError('INVALID_REQUEST', message)

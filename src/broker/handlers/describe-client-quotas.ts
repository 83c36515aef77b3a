/** DescribeClientQuotas: the quotas of those entities that a filter lets through. */
import type { describeClientQuotas } from '../../protocol/api/describe-client-quotas.js'
import type { RequestOf, ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { ENTITY_TYPES, type QuotaEntity } from '../quotas/client-quotas.js'
import { NO_ERROR, responseErrorOf } from '../response-errors.js'
import type { Handler } from './handler.js'

type Component = RequestOf<typeof describeClientQuotas>['components'][number]
type Entry = NonNullable<ResponseOf<typeof describeClientQuotas>['entries']>[number]

/** How the name of a component is meant. */
const MATCH_TYPES = { exact: 0, default: 1, any: 2 } as const
/** Kafka has quotas of addresses, too; here there are none that a filter could find. */
const KNOWN_TYPES: ReadonlySet<string> = new Set([...Object.values(ENTITY_TYPES), 'ip'])

export const handleDescribeClientQuotas: Handler<typeof describeClientQuotas> = (
  { metadata },
  { components, strict },
) => {
  try {
    checkComponents(components)
    const entries: Entry[] = []
    for (const [quotaEntity, values] of metadata.clientQuotas.entries()) {
      const entity = entityOf(quotaEntity)
      if (strict && entity.length !== components.length) continue
      if (!components.every((component) => entity.some((part) => isMatch(component, part)))) continue
      entries.push({ entity, values: [...values].map(([key, value]) => ({ key, value })) })
    }
    return { throttleTimeMs: 0, ...NO_ERROR, entries }
  } catch (error) {
    return { throttleTimeMs: 0, ...responseErrorOf(error), entries: null }
  }
}

const entityOf = ({ user, clientId }: QuotaEntity): Entry['entity'] => [
  ...(user === undefined ? [] : [{ entityType: ENTITY_TYPES.user, entityName: user }]),
  ...(clientId === undefined ? [] : [{ entityType: ENTITY_TYPES.clientId, entityName: clientId }]),
]

const isMatch = ({ entityType, matchType, match }: Component, part: Entry['entity'][number]): boolean =>
  part.entityType === entityType && (matchType === MATCH_TYPES.any || part.entityName === match)

const checkComponents = (components: readonly Component[]): void => {
  const types = new Set<string>()
  for (const { entityType, matchType, match } of components) {
    if (!KNOWN_TYPES.has(entityType)) {
      throw new OttlaError(
        'UNSUPPORTED_VERSION',
        `The entity type ${JSON.stringify(entityType)} has no quotas; expected ${[...KNOWN_TYPES].join(', ')}.`,
      )
    }
    if (types.has(entityType)) throw invalid(`The entity type ${entityType} is named more than once.`)
    types.add(entityType)
    if (!Object.values<number>(MATCH_TYPES).includes(matchType))
      throw invalid(`There is no match type ${matchType}.`)
    if ((match !== null) !== (matchType === MATCH_TYPES.exact))
      throw invalid(`The match type ${matchType} ${match === null ? 'needs a name' : 'has no name'}.`)
  }
  if (types.has('ip') && types.size > 1) throw invalid('An ip cannot be combined with a user or client-id.')
}

const invalid = (message: string): OttlaError => new OttlaError('INVALID_REQUEST', message)

/** Adding and removing access control entries: Kafka's checks, then one durable change of the metadata. */
import type { createAcls } from '../../protocol/api/create-acls.js'
import {
  ACL_ANY,
  ACL_MATCH,
  ACL_OPERATIONS,
  ACL_PATTERN_TYPES,
  ACL_PERMISSION_TYPES,
  ACL_RESOURCE_TYPES,
  CLUSTER_NAME,
} from '../../protocol/acl.js'
import type { RequestOf } from '../../protocol/schema.js'
import { OttlaError, show } from '../../runtime/errors/ottla-error.js'
import type { Random } from '../../runtime/random.js'
import { randomUuid } from '../../runtime/uuid.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import type { MetadataChange } from '../metadata/metadata-log.js'
import type { Acl, AclFilter } from './acls.js'

type Creation = RequestOf<typeof createAcls>['creations'][number]

const RESOURCE_TYPES = codes(ACL_RESOURCE_TYPES)
const OPERATIONS = codes(ACL_OPERATIONS)
const PATTERN_TYPES = codes(ACL_PATTERN_TYPES)
const PERMISSION_TYPES = codes(ACL_PERMISSION_TYPES)

/** Adds those of `creations` that can be; resolves to what is wrong with each, undefined where nothing is. */
export const addAcls = (
  metadata: ClusterMetadata,
  creations: readonly Creation[],
  random: Random,
): Promise<readonly (OttlaError | undefined)[]> =>
  metadata.exclusive(async () => {
    const errors = creations.map(problemOf)
    const added = new Map<string, MetadataChange>()
    for (const [index, { resourcePatternType, ...creation }] of creations.entries()) {
      if (errors[index] !== undefined) continue
      const acl: Acl = { ...creation, patternType: resourcePatternType, id: randomUuid(random) }
      if (metadata.acls.matching(exactly(acl)).length > 0) continue
      added.set(Object.values(exactly(acl)).join('\0'), { type: 'acl', record: acl })
    }
    if (added.size > 0) await metadata.commit([...added.values()])
    return errors
  })

/** Removes what the filters let through; resolves to what that was of each, or what is wrong with it. */
export const removeAcls = (
  metadata: ClusterMetadata,
  filters: readonly AclFilter[],
): Promise<readonly (readonly Acl[] | OttlaError)[]> =>
  metadata.exclusive(async () => {
    const found = filters.map((filter) => filterProblemOf(filter) ?? metadata.acls.matching(filter))
    const removed = new Set(found.flatMap((acls) => (acls instanceof OttlaError ? [] : acls)))
    if (removed.size > 0)
      await metadata.commit([...removed].map(({ id }) => ({ type: 'removeAcl', record: { id } })))
    return found
  })

/** What is wrong with `filter`; undefined when nothing is. */
export const filterProblemOf = (filter: AclFilter): OttlaError | undefined => {
  const { resourceTypeFilter, patternTypeFilter, operation, permissionType } = filter
  const isKnown = (known: ReadonlySet<number>, code: number): boolean => code === ACL_ANY || known.has(code)
  if (
    !isKnown(RESOURCE_TYPES, resourceTypeFilter) ||
    (patternTypeFilter !== ACL_MATCH && !isKnown(PATTERN_TYPES, patternTypeFilter))
  )
    return new OttlaError('INVALID_REQUEST', 'Unknown patternFilter.')
  if (!isKnown(OPERATIONS, operation) || !isKnown(PERMISSION_TYPES, permissionType))
    return new OttlaError('INVALID_REQUEST', 'Unknown entryFilter.')
  return undefined
}

const problemOf = (creation: Creation): OttlaError | undefined => {
  const { resourceType, resourceName, resourcePatternType, principal, operation, permissionType } = creation
  const invalid = (what: string, value: unknown): OttlaError =>
    new OttlaError('INVALID_REQUEST', `Invalid ${what} ${show(value)}`)
  if (!RESOURCE_TYPES.has(resourceType)) return invalid('resourceType', resourceType)
  if (!PATTERN_TYPES.has(resourcePatternType)) return invalid('patternType', resourcePatternType)
  if (!OPERATIONS.has(operation)) return invalid('operation', operation)
  if (!PERMISSION_TYPES.has(permissionType)) return invalid('permissionType', permissionType)
  if (resourceName === '') return new OttlaError('INVALID_REQUEST', 'Resource name should not be empty')
  if (resourceType === ACL_RESOURCE_TYPES.CLUSTER && resourceName !== CLUSTER_NAME)
    return new OttlaError(
      'INVALID_REQUEST',
      `The only valid name for the CLUSTER resource is ${CLUSTER_NAME}`,
    )
  if (!/^[^:]+:./.test(principal)) return invalid('principal', principal)
  return undefined
}

const exactly = (acl: Acl): AclFilter => ({
  resourceTypeFilter: acl.resourceType,
  resourceNameFilter: acl.resourceName,
  patternTypeFilter: acl.patternType,
  principalFilter: acl.principal,
  hostFilter: acl.host,
  operation: acl.operation,
  permissionType: acl.permissionType,
})

function codes(of: Readonly<Record<string, number>>): ReadonlySet<number> {
  return new Set(Object.values(of))
}

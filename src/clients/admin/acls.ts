/** Admin requests about access control entries (KIP-140, KIP-290). */
import { createAcls as createApi } from '../../protocol/api/create-acls.js'
import { deleteAcls as deleteApi } from '../../protocol/api/delete-acls.js'
import { describeAcls as describeApi } from '../../protocol/api/describe-acls.js'
import {
  ACL_ANY,
  ACL_MATCH,
  ACL_OPERATIONS,
  ACL_PATTERN_TYPES,
  ACL_PERMISSION_TYPES,
  ACL_RESOURCE_TYPES,
  ACL_WILDCARD,
  type AclOperation,
  type AclPatternType,
  type AclPermissionType,
  type AclResourceType,
} from '../../protocol/acl.js'
import { errorFromKafkaCode, invalidArgument } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions } from './admin-options.js'
import { Outcomes } from './outcomes.js'

/** An access control entry: who may, or may not, do what with which resource. */
export interface AclBinding {
  /** What is accessed. */
  readonly resourceType: AclResourceType
  /** Its name; `'*'` is for all of the type, and a cluster's is `'kafka-cluster'`. */
  readonly resourceName: string
  /** Whether `resourceName` is the whole name, or how it begins. */
  readonly patternType: AclPatternType
  /** Who, for instance `User:alice`; `User:*` is everybody. */
  readonly principal: string
  /** From where: an address, or `'*'` for everywhere. */
  readonly host: string
  /** What is done; READ, WRITE, DELETE and ALTER imply DESCRIBE where they are allowed. */
  readonly operation: AclOperation
  /** Whether it is allowed, or denied. A denial comes before everything else. */
  readonly permissionType: AclPermissionType
}

/** An entry to be made: without a pattern type it is literal, without a host for everywhere, and it allows. */
export type NewAclBinding = Omit<AclBinding, 'patternType' | 'host' | 'permissionType'> &
  Partial<Pick<AclBinding, 'patternType' | 'host' | 'permissionType'>>

/** Which entries are meant: those that have all that is said here. Nothing said is all of them. */
export type AclBindingFilter = Partial<Omit<AclBinding, 'patternType'>> & {
  /** `MATCH` stands for all entries that concern the resource named, prefixes and wildcards among them. */
  readonly patternType?: AclPatternType | 'MATCH'
}

type Codes = Readonly<Record<string, number>>

export const createAcls = async (
  { cluster }: ClientContext,
  bindings: readonly NewAclBinding[],
  { signal }: AdminOptions,
): Promise<void> => {
  const creations = bindings.map((binding) => ({
    resourceType: codeOf('resourceType', ACL_RESOURCE_TYPES, binding.resourceType),
    resourceName: binding.resourceName,
    resourcePatternType: codeOf('patternType', ACL_PATTERN_TYPES, binding.patternType ?? 'LITERAL'),
    principal: binding.principal,
    host: binding.host ?? ACL_WILDCARD,
    operation: codeOf('operation', ACL_OPERATIONS, binding.operation),
    permissionType: codeOf('permissionType', ACL_PERMISSION_TYPES, binding.permissionType ?? 'ALLOW'),
  }))
  const controller = await cluster.controller({ signal })
  const { results } = await controller.send(createApi, { creations }, { signal })
  const outcomes = new Outcomes<NewAclBinding | undefined>(bindings.map((_, index) => String(index)))
  for (const [index, { errorCode, errorMessage }] of results.entries()) {
    const details = { binding: bindings[index] }
    if (errorCode === 0) outcomes.succeed(String(index), bindings[index])
    else outcomes.fail(String(index), errorFromKafkaCode(errorCode, errorMessage, { details }))
  }
  outcomes.results()
}

export const describeAcls = async (
  { cluster }: ClientContext,
  filter: AclBindingFilter,
  { signal }: AdminOptions,
): Promise<readonly AclBinding[]> => {
  const channel = await cluster.any({ signal })
  const response = await channel.send(describeApi, filterOf(filter), { signal })
  if (response.errorCode !== 0) throw errorFromKafkaCode(response.errorCode, response.errorMessage)
  return response.resources.flatMap(({ acls, ...resource }) =>
    acls.flatMap((acl) => bindingOf({ ...resource, ...acl })),
  )
}

export const deleteAcls = async (
  { cluster }: ClientContext,
  filters: readonly AclBindingFilter[],
  { signal }: AdminOptions,
): Promise<readonly AclBinding[]> => {
  const controller = await cluster.controller({ signal })
  const request = { filters: filters.map(filterOf) }
  const { filterResults } = await controller.send(deleteApi, request, { signal })
  const outcomes = new Outcomes<readonly AclBinding[]>(filters.map((_, index) => String(index)))
  for (const [index, { errorCode, errorMessage, matchingAcls }] of filterResults.entries()) {
    const details = { filter: filters[index] }
    if (errorCode === 0) outcomes.succeed(String(index), matchingAcls.flatMap(bindingOf))
    else outcomes.fail(String(index), errorFromKafkaCode(errorCode, errorMessage, { details }))
  }
  return outcomes.results().flat()
}

const filterOf = (filter: AclBindingFilter) => ({
  resourceTypeFilter: anyOr('resourceType', ACL_RESOURCE_TYPES, filter.resourceType),
  resourceNameFilter: filter.resourceName ?? null,
  patternTypeFilter:
    filter.patternType === 'MATCH' ? ACL_MATCH : anyOr('patternType', ACL_PATTERN_TYPES, filter.patternType),
  principalFilter: filter.principal ?? null,
  hostFilter: filter.host ?? null,
  operation: anyOr('operation', ACL_OPERATIONS, filter.operation),
  permissionType: anyOr('permissionType', ACL_PERMISSION_TYPES, filter.permissionType),
})

const anyOr = (what: string, codes: Codes, name: string | undefined): number =>
  name === undefined ? ACL_ANY : codeOf(what, codes, name)

/** Callers without types may say anything. */
const codeOf = (what: string, codes: Codes, name: string): number => {
  const code = Object.hasOwn(codes, name) ? codes[name] : undefined
  if (code === undefined)
    throw invalidArgument(`The ${what}`, name, `one of ${Object.keys(codes).join(', ')}`)
  return code
}

interface AclInNumbers {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

/** None for an entry of a kind that came after this client. */
const bindingOf = ({ resourceName, principal, host, ...codes }: AclInNumbers): readonly AclBinding[] => {
  const resourceType = nameOf(ACL_RESOURCE_TYPES, codes.resourceType)
  const patternType = nameOf(ACL_PATTERN_TYPES, codes.patternType)
  const operation = nameOf(ACL_OPERATIONS, codes.operation)
  const permissionType = nameOf(ACL_PERMISSION_TYPES, codes.permissionType)
  if (
    resourceType === undefined ||
    patternType === undefined ||
    operation === undefined ||
    permissionType === undefined
  )
    return []
  return [{ resourceType, resourceName, patternType, principal, host, operation, permissionType }]
}

const nameOf = <T extends string>(codes: Readonly<Record<T, number>>, code: number): T | undefined =>
  (Object.keys(codes) as T[]).find((name) => codes[name] === code)

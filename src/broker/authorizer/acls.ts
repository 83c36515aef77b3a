/**
 * The access control entries of the cluster, and what they say of an action: Kafka's StandardAuthorizer. What is denied
 * anywhere is denied; what is allowed anywhere else is allowed.
 */
import {
  ACL_ANY,
  ACL_MATCH,
  ACL_OPERATIONS,
  ACL_PATTERN_TYPES,
  ACL_PERMISSION_TYPES,
  ACL_WILDCARD,
} from '../../protocol/acl.js'
import type { accessControlEntryRecord } from '../../protocol/metadata-records.js'
import type { RecordOf } from '../../protocol/schema.js'
import type { Uuid } from '../../runtime/uuid.js'

/** An access control entry, with its id; types are Kafka's numbers. */
export type Acl = RecordOf<typeof accessControlEntryRecord>

/** Who does something. */
export interface Actor {
  /** For instance `User:alice`. */
  readonly principal: string
  /** An address. */
  readonly host: string
}

/** Which entries are meant; null and ANY stand for all. */
export interface AclFilter {
  readonly resourceTypeFilter: number
  readonly resourceNameFilter: string | null
  readonly patternTypeFilter: number
  readonly principalFilter: string | null
  readonly hostFilter: string | null
  readonly operation: number
  readonly permissionType: number
}

/** What the entries say of an action; `none` when none is for the resource at all. */
export type Finding = 'allowed' | 'denied' | 'none'

const { LITERAL, PREFIXED } = ACL_PATTERN_TYPES
const { ALLOW } = ACL_PERMISSION_TYPES
const { ALL, ALTER, ALTER_CONFIGS, DELETE, DESCRIBE, DESCRIBE_CONFIGS, READ, WRITE } = ACL_OPERATIONS

/** What who is allowed one operation may do besides. A denial implies nothing. */
const IMPLIED_BY: ReadonlyMap<number, readonly number[]> = new Map<number, readonly number[]>([
  [DESCRIBE, [DESCRIBE, READ, WRITE, DELETE, ALTER]],
  [DESCRIBE_CONFIGS, [DESCRIBE_CONFIGS, ALTER_CONFIGS]],
])
const EVERY_USER = 'User:*'

/** All entries, by what they are for. */
export class Acls {
  readonly #byId = new Map<Uuid, Acl>()
  /** By pattern type, resource type and name. */
  readonly #byPattern = new Map<string, Acl[]>()
  /** How many prefixed entries there are by the length of their prefix: as many look-ups does a name take. */
  readonly #prefixLengths = new Map<number, number>()

  add(acl: Acl): void {
    this.#byId.set(acl.id, acl)
    const key = keyOf(acl.patternType, acl.resourceType, acl.resourceName)
    const others = this.#byPattern.get(key)
    if (others === undefined) this.#byPattern.set(key, [acl])
    else others.push(acl)
    this.#countPrefix(acl, 1)
  }

  remove(id: Uuid): void {
    const acl = this.#byId.get(id)
    if (acl === undefined) return
    this.#byId.delete(id)
    const key = keyOf(acl.patternType, acl.resourceType, acl.resourceName)
    const left = this.#byPattern.get(key)?.filter((other) => other.id !== id) ?? []
    if (left.length === 0) this.#byPattern.delete(key)
    else this.#byPattern.set(key, left)
    this.#countPrefix(acl, -1)
  }

  /** The entries that `filter` lets through. */
  matching(filter: AclFilter): Acl[] {
    return [...this.#byId.values()].filter((acl) => isMatching(filter, acl))
  }

  /** What they say of an operation on the resource with exactly this name. */
  find(actor: Actor, operation: number, resourceType: number, name: string): Finding {
    let finding: Finding = 'none'
    for (const acl of this.#of(resourceType, name)) {
      if (finding === 'none') finding = 'denied'
      if (!isAbout(acl, actor, operation)) continue
      if (acl.permissionType !== ALLOW) return 'denied'
      finding = 'allowed'
    }
    return finding
  }

  /** Whether there is any resource of a type on which they allow an operation. */
  allowsAny(actor: Actor, operation: number, resourceType: number): boolean {
    const about = [...this.#byId.values()].filter(
      (acl) => acl.resourceType === resourceType && isAbout(acl, actor, operation),
    )
    const denials = about.filter(({ permissionType }) => permissionType !== ALLOW)
    return about.some(
      (acl) => acl.permissionType === ALLOW && !denials.some((denial) => isWithin(denial, acl)),
    )
  }

  *#of(resourceType: number, name: string): Generator<Acl> {
    yield* this.#byPattern.get(keyOf(LITERAL, resourceType, name)) ?? []
    if (name !== ACL_WILDCARD) yield* this.#byPattern.get(keyOf(LITERAL, resourceType, ACL_WILDCARD)) ?? []
    // Names come from clients and may be long; entries are few, and say which of a name's prefixes matter.
    for (const length of this.#prefixLengths.keys())
      if (length <= name.length)
        yield* this.#byPattern.get(keyOf(PREFIXED, resourceType, name.slice(0, length))) ?? []
  }

  #countPrefix({ patternType, resourceName: { length } }: Acl, change: 1 | -1): void {
    if (patternType !== PREFIXED) return
    const count = (this.#prefixLengths.get(length) ?? 0) + change
    if (count === 0) this.#prefixLengths.delete(length)
    else this.#prefixLengths.set(length, count)
  }
}

const keyOf = (patternType: number, resourceType: number, name: string): string =>
  `${patternType} ${resourceType} ${name}`

/** Whether `acl` speaks of this actor and operation. */
const isAbout = (acl: Acl, { principal, host }: Actor, operation: number): boolean => {
  if (acl.principal !== principal && acl.principal !== EVERY_USER) return false
  if (acl.host !== host && acl.host !== ACL_WILDCARD) return false
  if (acl.operation === ALL || acl.operation === operation) return true
  return acl.permissionType === ALLOW && IMPLIED_BY.get(operation)?.includes(acl.operation) === true
}

/** Whether all that `acl` is for is also what `denial` is for. */
const isWithin = (denial: Acl, acl: Acl): boolean => {
  const { resourceName } = denial
  if (denial.patternType === PREFIXED) return acl.resourceName.startsWith(resourceName)
  if (resourceName === ACL_WILDCARD) return true
  return acl.patternType === LITERAL && acl.resourceName === resourceName
}

const isMatching = (filter: AclFilter, acl: Acl): boolean =>
  isOneOf(filter.resourceTypeFilter, acl.resourceType) &&
  isOneOf(filter.operation, acl.operation) &&
  isOneOf(filter.permissionType, acl.permissionType) &&
  (filter.principalFilter === null || filter.principalFilter === acl.principal) &&
  (filter.hostFilter === null || filter.hostFilter === acl.host) &&
  isMatchingName(filter, acl)

const isOneOf = (filter: number, value: number): boolean => filter === ACL_ANY || filter === value

const isMatchingName = ({ patternTypeFilter, resourceNameFilter: name }: AclFilter, acl: Acl): boolean => {
  const { patternType, resourceName } = acl
  if (patternTypeFilter !== ACL_MATCH)
    return isOneOf(patternTypeFilter, patternType) && (name === null || name === resourceName)
  if (name === null) return true
  if (patternType === PREFIXED) return name.startsWith(resourceName)
  return name === resourceName || resourceName === ACL_WILDCARD
}

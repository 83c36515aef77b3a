/** What the client of one request may do. */
import {
  ACL_OPERATIONS,
  ACL_RESOURCE_TYPES,
  CLUSTER_NAME,
  type AclOperation,
  type AclResourceType,
} from '../../protocol/acl.js'
import { OPERATIONS_NOT_ASKED_FOR } from '../authorized-operations.js'
import type { ClusterMetadata } from '../metadata/cluster-metadata.js'
import type { BrokerServices } from '../services.js'
import type { Actor, Finding } from './acls.js'

/** Who a client is that has not said who it is. */
export const ANONYMOUS = 'User:ANONYMOUS'

/** How access control entries are applied; where there are none of these, everything is allowed. */
export interface AuthorizerSettings {
  /** Who may do everything, for instance `User:admin`. */
  readonly superUsers: ReadonlySet<string>
  /** What holds for a resource that no entry is for. */
  readonly allowEveryoneIfNoAclFound: boolean
}

/** The access of one client. */
export class Access {
  readonly metadata: ClusterMetadata
  /** Whether the broker creates topics that clients ask for. */
  readonly createsTopics: boolean
  readonly #settings: AuthorizerSettings
  readonly #actor: Actor

  constructor(
    { metadata, configs }: Pick<BrokerServices, 'metadata' | 'configs'>,
    settings: AuthorizerSettings,
    actor: Actor,
  ) {
    this.metadata = metadata
    this.createsTopics = configs['auto.create.topics.enable']
    this.#settings = settings
    this.#actor = actor
  }

  /** Whether it may do this with the resource of that name. */
  may(operation: AclOperation, type: AclResourceType, name: string = CLUSTER_NAME): boolean {
    return this.#may(ACL_OPERATIONS[operation], ACL_RESOURCE_TYPES[type], name)
  }

  /** Whether there may be a resource of the type that it may do this with. */
  mayWithAny(operation: AclOperation, type: AclResourceType): boolean {
    if (this.#settings.superUsers.has(this.#actor.principal)) return true
    const { acls } = this.metadata
    if (acls.allowsAny(this.#actor, ACL_OPERATIONS[operation], ACL_RESOURCE_TYPES[type])) return true
    // A name that nobody has: what holds for it holds for whatever no entry is for.
    return this.may(operation, type, 'hardcode')
  }

  /** Of authorized operations (KIP-430), those that are; what was not asked for stays so. */
  operations(possible: number, type: AclResourceType, name: string = CLUSTER_NAME): number {
    if (possible === OPERATIONS_NOT_ASKED_FOR) return possible
    let authorized = 0
    for (const operation of Object.values(ACL_OPERATIONS)) {
      const bit = 1 << operation
      if ((possible & bit) !== 0 && this.#may(operation, ACL_RESOURCE_TYPES[type], name)) authorized |= bit
    }
    return authorized
  }

  /** The name of a topic that a request names by name or by id; undefined for an id that there is none of. */
  topicName({
    name,
    topicId,
  }: {
    readonly name?: string | null
    readonly topicId?: string
  }): string | undefined {
    if (name !== undefined && name !== null && name !== '') return name
    return topicId === undefined ? undefined : this.metadata.topicById(topicId)?.name
  }

  #may(operation: number, resourceType: number, name: string): boolean {
    const { superUsers, allowEveryoneIfNoAclFound } = this.#settings
    if (superUsers.has(this.#actor.principal)) return true
    const finding: Finding = this.metadata.acls.find(this.#actor, operation, resourceType, name)
    return finding === 'allowed' || (finding === 'none' && allowEveryoneIfNoAclFound)
  }
}

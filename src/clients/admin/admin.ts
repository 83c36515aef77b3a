/** The admin client: what Kafka's Admin does, as methods that answer with plain objects. */
import type { ClientContext } from '../context.js'
import type { TopicPartition } from '../message.js'
import * as acls from './acls.js'
import type { AdminOptions, ChangeOptions } from './admin-options.js'
import { checkList } from './check-list.js'
import * as cluster from './cluster.js'
import * as configs from './configs.js'
import * as groupMembers from './group-members.js'
import * as groupOffsets from './group-offsets.js'
import * as consumerGroups from './consumer-groups.js'
import * as groups from './groups.js'
import * as logDirs from './log-dirs.js'
import * as listedOffsets from './offsets.js'
import * as producers from './producers.js'
import * as quotas from './quotas.js'
import * as records from './records.js'
import * as scram from './scram.js'
import * as topics from './topics.js'
import * as transactions from './transactions.js'

/**
 * Manages topics, configs and groups, strictly as Kafka does: creating a topic that exists is an error.
 *
 * Of several items in a call each succeeds or fails by itself, as in Kafka, and what succeeded stays. When some fail,
 * ITEMS_FAILED is thrown, whose `details` ({@link ItemsFailedDetails}) have the error of each and the results of the
 * others; with one item in the call it is the error of that.
 *
 * ```ts
 * try {
 *   await admin.deleteTopics(['orders', 'clicks'])
 * } catch (error) {
 *   if (!OttlaError.is(error, 'ITEMS_FAILED')) throw error
 *   for (const [topic, { code }] of error.details.failed) console.log(topic, code)
 * }
 * ```
 */
export class Admin {
  readonly #context: ClientContext

  /** @internal Applications get one from `ottla.admin`. */
  constructor(context: ClientContext) {
    this.#context = context
  }

  /**
   * Creates topics.
   * @throws OttlaError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
   * INVALID_REPLICA_ASSIGNMENT for brokers that are not there, INVALID_CONFIG, INVALID_REQUEST for a topic that is
   * named twice, or has assignments and a number of partitions.
   */
  async createTopics(
    newTopics: readonly topics.NewTopic[],
    options: ChangeOptions = {},
  ): Promise<readonly topics.CreatedTopic[]> {
    return topics.createTopics(this.#context, checkList('What to create', newTopics), options)
  }

  /**
   * Deletes topics and all their records.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION for an internal one.
   */
  async deleteTopics(names: readonly string[], options: AdminOptions = {}): Promise<void> {
    return topics.deleteTopics(this.#context, checkList('What to delete', names), options)
  }

  /**
   * Where the broker keeps partitions, how large they are there, and how much room is left (KIP-113, KIP-827).
   * @throws OttlaError CLUSTER_AUTHORIZATION_FAILED.
   */
  describeLogDirs(options: AdminOptions = {}): Promise<readonly logDirs.LogDirDescription[]> {
    return logDirs.describeLogDirs(this.#context, options)
  }

  /** The names of the topics, without the internal ones. */
  listTopics(options: AdminOptions = {}): Promise<readonly string[]> {
    return topics.listTopics(this.#context, options)
  }

  /**
   * The partitions of topics, and who leads them.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION.
   */
  async describeTopics(
    names: readonly string[],
    options: AdminOptions = {},
  ): Promise<readonly topics.TopicDescription[]> {
    return topics.describeTopics(this.#context, checkList('What to describe', names), options)
  }

  /**
   * Raises the number of a topic's partitions to `totalCount`. Keyed records are spread anew from then on.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS unless it is more than there are,
   * INVALID_REPLICA_ASSIGNMENT for assignments that are not one for each new partition, or name other brokers.
   */
  createPartitions(
    topic: string,
    totalCount: number,
    options: topics.CreatePartitionsOptions = {},
  ): Promise<void> {
    return topics.createPartitions(this.#context, topic, totalCount, options)
  }

  /**
   * The settings of a topic or broker, with their types, defaults and where they come from.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION.
   */
  describeConfigs(
    resource: configs.ConfigResource,
    options: configs.DescribeConfigsOptions = {},
  ): Promise<readonly configs.ConfigEntry[]> {
    return configs.describeConfigs(this.#context, resource, options)
  }

  /** What has settings, of the types asked for, or of all (KIP-1142). */
  async listConfigResources(
    types: readonly configs.ConfigResource['type'][] = ['topic', 'broker'],
    options: AdminOptions = {},
  ): Promise<readonly configs.ConfigResource[]> {
    return configs.listConfigResources(this.#context, checkList('What to list', types), options)
  }

  /**
   * Changes settings of a topic: those that are named, null returning one to its default; the others stay. They hold
   * from then on, for topics that are in use too.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION; INVALID_CONFIG for a bad name or value; INVALID_REQUEST for a
   * broker, whose settings are given to `Ottla.open`.
   */
  alterConfigs(
    resource: configs.ConfigResource,
    changes: configs.ConfigChanges,
    options: ChangeOptions = {},
  ): Promise<void> {
    return configs.alterConfigs(this.#context, resource, changes, options)
  }

  /**
   * Deletes the records of each partition before an offset, or all that can be read; where each partition begins now
   * is what it resolves to.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, OFFSET_OUT_OF_RANGE beyond the end, POLICY_VIOLATION for a topic
   * whose `cleanup.policy` has no delete, INVALID_TOPIC_EXCEPTION for an internal one.
   */
  async deleteRecords(
    partitions: readonly records.RecordsToDelete[],
    options: AdminOptions = {},
  ): Promise<readonly records.DeletedRecords[]> {
    return records.deleteRecords(this.#context, checkList('What to delete', partitions), options)
  }

  /**
   * An offset of each partition: its start, its end, that of the record with the largest timestamp, or of the first
   * record at or after a time; -1 where there is none.
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION, INVALID_ARGUMENT for another offset, such as those of tiered storage.
   */
  async listOffsets(
    partitions: readonly TopicPartition[],
    spec: listedOffsets.OffsetSpec,
    options: listedOffsets.ListOffsetsOptions = {},
  ): Promise<readonly listedOffsets.ListedOffset[]> {
    return listedOffsets.listOffsets(this.#context, checkList('Where to look', partitions), spec, options)
  }

  /** The brokers, the controller and the cluster's id; and what this client may do with it, if asked for. */
  describeCluster(options: cluster.DescribeClusterOptions = {}): Promise<cluster.ClusterDescription> {
    return cluster.describeCluster(this.#context, options)
  }

  /** The features that clients go by, such as `transaction.version`: what could be, and what is (KIP-584). */
  describeFeatures(options: AdminOptions = {}): Promise<cluster.FeatureMetadata> {
    return cluster.describeFeatures(this.#context, options)
  }

  /**
   * All groups, or those in some states, of some types, or with some protocols.
   * @throws OttlaError INVALID_ARGUMENT for a state or a type that there is not.
   */
  listGroups(options: groups.ListGroupsOptions = {}): Promise<readonly groups.GroupListing[]> {
    return groups.listGroups(this.#context, options)
  }

  /**
   * State, members and assignments of classic groups; a group that does not exist, or is of another type, is in the
   * state Dead.
   */
  async describeGroups(
    groupIds: readonly string[],
    options: AdminOptions = {},
  ): Promise<readonly groups.GroupDescription[]> {
    return groups.describeGroups(this.#context, checkList('What to describe', groupIds), options)
  }

  /**
   * State, epochs and members of groups of the consumer protocol (KIP-848), with what each has and is to have.
   * @throws OttlaError GROUP_ID_NOT_FOUND for a group that there is not, or that is of another type.
   */
  async describeConsumerGroups(
    groupIds: readonly string[],
    options: AdminOptions = {},
  ): Promise<readonly consumerGroups.ConsumerGroupDescription[]> {
    return consumerGroups.describeConsumerGroups(
      this.#context,
      checkList('What to describe', groupIds),
      options,
    )
  }

  /** How far a group has come: every offset that it committed. */
  listConsumerGroupOffsets(
    groupId: string,
    options: AdminOptions = {},
  ): Promise<readonly groupOffsets.GroupOffset[]> {
    return groupOffsets.listGroupOffsets(this.#context, groupId, options)
  }

  /**
   * Sets how far a group has come, as a member's commit would: for a group that nobody is a member of, which need not
   * be there yet. What it has committed for other partitions stays.
   * @throws OttlaError UNKNOWN_MEMBER_ID for a group that has members, UNKNOWN_TOPIC_OR_PARTITION,
   * OFFSET_METADATA_TOO_LARGE, INVALID_GROUP_ID for an empty name.
   */
  async alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly groupOffsets.GroupOffsetToSet[],
    options: AdminOptions = {},
  ): Promise<void> {
    return groupOffsets.alterGroupOffsets(this.#context, groupId, checkList('What to set', offsets), options)
  }

  /**
   * Removes members from a group, or all that it has; their partitions go to those who stay. It is for static members
   * that do not come back, which otherwise keep their place until their sessions end (KIP-345): a consumer that still
   * runs fails with UNKNOWN_MEMBER_ID in what it does next, and joins again.
   * @throws OttlaError UNKNOWN_MEMBER_ID for one that the group does not have, or a group that is not there.
   */
  removeMembersFromConsumerGroup(
    groupId: string,
    members: readonly groupMembers.MemberToRemove[] | 'all',
    options: groupMembers.RemoveMembersOptions = {},
  ): Promise<void> {
    return groupMembers.removeMembers(this.#context, groupId, members, options)
  }

  /**
   * Deletes groups that nobody is a member of, with all that they committed.
   * @throws OttlaError GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.
   */
  async deleteGroups(groupIds: readonly string[], options: AdminOptions = {}): Promise<void> {
    return groups.deleteGroups(this.#context, checkList('What to delete', groupIds), options)
  }

  /**
   * Deletes what a group has committed for partitions of topics that its members do not subscribe to; one without a
   * committed offset is as good as deleted (KIP-496).
   * @throws OttlaError GROUP_ID_NOT_FOUND, GROUP_SUBSCRIBED_TO_TOPIC, UNKNOWN_TOPIC_OR_PARTITION, NON_EMPTY_GROUP for
   * a group with members that are no consumers.
   */
  async deleteConsumerGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<void> {
    return groupOffsets.deleteGroupOffsets(
      this.#context,
      groupId,
      checkList('What to delete', partitions),
      options,
    )
  }

  /**
   * The producers that partitions remember, with the transactions that they have open there (KIP-664).
   * @throws OttlaError UNKNOWN_TOPIC_OR_PARTITION.
   */
  async describeProducers(
    partitions: readonly TopicPartition[],
    options: AdminOptions = {},
  ): Promise<readonly producers.PartitionProducers[]> {
    return producers.describeProducers(this.#context, checkList('What to describe', partitions), options)
  }

  /**
   * What coordinators know of transactional ids: the producer, and where its transaction stands (KIP-664).
   * @throws OttlaError TRANSACTIONAL_ID_NOT_FOUND.
   */
  async describeTransactions(
    transactionalIds: readonly string[],
    options: AdminOptions = {},
  ): Promise<readonly transactions.TransactionDescription[]> {
    return transactions.describeTransactions(
      this.#context,
      checkList('What to describe', transactionalIds),
      options,
    )
  }

  /**
   * All transactional ids, or those in some states, of some producers, with a transaction that has gone on for long,
   * or with some names (KIP-664, KIP-994).
   * @throws OttlaError INVALID_ARGUMENT for a state or a duration that cannot be.
   */
  listTransactions(
    options: transactions.ListTransactionsOptions = {},
  ): Promise<readonly transactions.TransactionListing[]> {
    return transactions.listTransactions(this.#context, options)
  }

  /**
   * Ends a transaction in one partition as aborted, behind the back of its coordinator: for one that hangs, which its
   * coordinator knows nothing of, and which keeps readers of committed records from all that follows (KIP-664). Take
   * it from {@link describeProducers}, and see with {@link describeTransactions} that it goes on nowhere.
   * @throws OttlaError INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED for an epoch that is not the last one,
   * UNKNOWN_TOPIC_OR_PARTITION.
   */
  abortTransaction(spec: producers.AbortTransactionSpec, options: AdminOptions = {}): Promise<void> {
    return producers.abortTransaction(this.#context, spec, options)
  }

  /**
   * Adds access control entries, which listeners with an `authorizer` go by from then on; one that is there already is
   * there once.
   * @throws OttlaError INVALID_REQUEST for a name or a principal that cannot be.
   */
  async createAcls(bindings: readonly acls.NewAclBinding[], options: AdminOptions = {}): Promise<void> {
    return acls.createAcls(this.#context, checkList('What to create', bindings), options)
  }

  /** The access control entries that `filter` lets through; all of them when it says nothing. */
  describeAcls(
    filter: acls.AclBindingFilter = {},
    options: AdminOptions = {},
  ): Promise<readonly acls.AclBinding[]> {
    return acls.describeAcls(this.#context, filter, options)
  }

  /** Removes the access control entries that any of `filters` lets through; resolves to those. */
  async deleteAcls(
    filters: readonly acls.AclBindingFilter[],
    options: AdminOptions = {},
  ): Promise<readonly acls.AclBinding[]> {
    return acls.deleteAcls(this.#context, checkList('What to delete', filters), options)
  }

  /**
   * Which SCRAM credentials users have, of all users when none are named (KIP-554). Passwords are not told.
   * @throws OttlaError RESOURCE_NOT_FOUND for a user without any, DUPLICATE_RESOURCE for one that is named twice.
   */
  describeUserScramCredentials(
    users?: readonly string[],
    options: AdminOptions = {},
  ): Promise<readonly scram.UserScramCredentialsDescription[]> {
    return scram.describeUserScramCredentials(this.#context, users, options)
  }

  /**
   * Sets and removes the passwords by which users authenticate at a listener with SCRAM. They hold for whoever connects
   * from then on. As in Kafka a user can be named once in a call.
   * @throws OttlaError RESOURCE_NOT_FOUND for a removal of what is not there, UNACCEPTABLE_CREDENTIAL for a name or
   * iterations that cannot be, DUPLICATE_RESOURCE for a user that is named twice, INVALID_ARGUMENT for a password.
   */
  async alterUserScramCredentials(
    alterations: readonly scram.UserScramCredentialAlteration[],
    options: AdminOptions = {},
  ): Promise<void> {
    return scram.alterUserScramCredentials(this.#context, checkList('What to change', alterations), options)
  }

  /**
   * The quotas of those users and client ids that `filter` lets through; of all of them when it says nothing (KIP-546).
   */
  describeClientQuotas(
    filter: quotas.ClientQuotaFilter = {},
    options: AdminOptions = {},
  ): Promise<readonly quotas.ClientQuotasDescription[]> {
    return quotas.describeClientQuotas(this.#context, filter, options)
  }

  /**
   * Sets and removes quotas of users, client ids and client ids of users. They hold at once for clients that come by a
   * listener, over all their connections together; clients in this process have none. The most specific quota counts, as
   * in Kafka a user's before a client id's.
   * @throws OttlaError INVALID_REQUEST for an entity, a key or a value that cannot be, and for an entity that is named
   * twice.
   */
  async alterClientQuotas(
    alterations: readonly quotas.ClientQuotaAlteration[],
    options: ChangeOptions = {},
  ): Promise<void> {
    return quotas.alterClientQuotas(this.#context, checkList('What to change', alterations), options)
  }
}

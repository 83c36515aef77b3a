/** Admin requests about the cluster as a whole. */
import { ACL_OPERATIONS, type AclOperation } from '../../protocol/acl.js'
import { apiVersions } from '../../protocol/api/api-versions.js'
import { describeCluster as describeClusterApi } from '../../protocol/api/describe-cluster.js'
import { errorFromKafkaCode } from '../../runtime/errors/ottla-error.js'
import type { ClusterMetadata } from '../cluster.js'
import type { ClientContext } from '../context.js'
import type { AdminOptions } from './admin-options.js'

/** What is to be told of the cluster. */
export interface DescribeClusterOptions extends AdminOptions {
  /** Whether to tell what this client may do with the cluster; default false. */
  readonly includeAuthorizedOperations?: boolean
}

/** A cluster and its brokers. */
export interface ClusterDescription extends ClusterMetadata {
  /** What this client may do with the cluster (KIP-430); undefined unless asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined
}

/** The versions of a feature that a broker could run with. */
export interface SupportedFeature {
  /** The feature's name, such as `transaction.version`. */
  readonly name: string
  /** The oldest of them. */
  readonly minVersion: number
  /** The newest of them. */
  readonly maxVersion: number
}

/** The versions of a feature that the cluster does run with. */
export interface FinalizedFeature {
  /** The feature's name. */
  readonly name: string
  /** The oldest of them. */
  readonly minVersionLevel: number
  /** The newest of them: the one that counts. */
  readonly maxVersionLevel: number
}

/** The features of a cluster: what Kafka calls what may differ between brokers of one cluster (KIP-584). */
export interface FeatureMetadata {
  /** What the broker that was asked could do. */
  readonly supported: readonly SupportedFeature[]
  /** What has been decided on for all; a feature that is not here is at level 0. */
  readonly finalized: readonly FinalizedFeature[]
  /** Rises with every such decision; undefined where none has been made. */
  readonly finalizedEpoch: number | undefined
}

/** Brokers, rather than the controllers of a cluster that has some of their own (KIP-919). */
const BROKERS = 1
/** The bits when nobody asked. */
const NOT_ASKED_FOR = -0x80000000

export const describeCluster = async (
  { cluster }: ClientContext,
  { includeAuthorizedOperations = false, signal }: DescribeClusterOptions,
): Promise<ClusterDescription> => {
  const channel = await cluster.any({ signal })
  const request = {
    includeClusterAuthorizedOperations: includeAuthorizedOperations,
    endpointType: BROKERS,
    includeFencedBrokers: false,
  }
  const answer = await channel.send(describeClusterApi, request, { signal })
  if (answer.errorCode !== 0) throw errorFromKafkaCode(answer.errorCode, answer.errorMessage)
  return {
    clusterId: answer.clusterId,
    controllerId: answer.controllerId,
    brokers: answer.brokers.map(({ brokerId: nodeId, host, port }) => ({ nodeId, host, port })),
    authorizedOperations: operationsOf(answer.clusterAuthorizedOperations),
  }
}

/** Each operation is the number of a bit. */
const operationsOf = (bits: number): readonly AclOperation[] | undefined =>
  bits === NOT_ASKED_FOR
    ? undefined
    : (Object.keys(ACL_OPERATIONS) as AclOperation[]).filter((name) => bits & (1 << ACL_OPERATIONS[name]))

export const describeFeatures = async (
  { cluster }: ClientContext,
  { signal }: AdminOptions,
): Promise<FeatureMetadata> => {
  const channel = await cluster.any({ signal })
  const request = { clientSoftwareName: 'ottla', clientSoftwareVersion: '0' }
  const answer = await channel.send(apiVersions, request, { signal })
  if (answer.errorCode !== 0) throw errorFromKafkaCode(answer.errorCode)
  const { supportedFeatures = [], finalizedFeatures = [], finalizedFeaturesEpoch = -1 } = answer
  return {
    supported: supportedFeatures,
    finalized: finalizedFeatures,
    finalizedEpoch: finalizedFeaturesEpoch < 0 ? undefined : finalizedFeaturesEpoch,
  }
}

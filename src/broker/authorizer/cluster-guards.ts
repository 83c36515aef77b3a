/** Who may do what with the cluster, its configs and its users: for each API what Kafka checks, and how it refuses. */
import { alterClientQuotas } from '../../protocol/api/alter-client-quotas.js'
import { alterConfigs } from '../../protocol/api/alter-configs.js'
import { alterUserScramCredentials } from '../../protocol/api/alter-user-scram-credentials.js'
import { apiVersions } from '../../protocol/api/api-versions.js'
import { createAcls } from '../../protocol/api/create-acls.js'
import { deleteAcls } from '../../protocol/api/delete-acls.js'
import { describeAcls } from '../../protocol/api/describe-acls.js'
import { describeClientQuotas } from '../../protocol/api/describe-client-quotas.js'
import { describeCluster } from '../../protocol/api/describe-cluster.js'
import { describeConfigs } from '../../protocol/api/describe-configs.js'
import { describeLogDirs } from '../../protocol/api/describe-log-dirs.js'
import { describeUserScramCredentials } from '../../protocol/api/describe-user-scram-credentials.js'
import { incrementalAlterConfigs } from '../../protocol/api/incremental-alter-configs.js'
import { initProducerId } from '../../protocol/api/init-producer-id.js'
import { listConfigResources } from '../../protocol/api/list-config-resources.js'
import { saslAuthenticate } from '../../protocol/api/sasl-authenticate.js'
import { saslHandshake } from '../../protocol/api/sasl-handshake.js'
import { CLUSTER_NAME, type AclOperation, type AclResourceType } from '../../protocol/acl.js'
import { codeOf } from '../response-errors.js'
import type { Access } from './access.js'
import { guard, shown, whole, type Check, type Guard } from './check.js'

const REFUSED = {
  errorCode: codeOf('CLUSTER_AUTHORIZATION_FAILED'),
  errorMessage: 'Cluster authorization failed.',
}
const TOPIC_REFUSED = {
  errorCode: codeOf('TOPIC_AUTHORIZATION_FAILED'),
  errorMessage: 'Topic authorization failed.',
}
const GROUP_REFUSED = {
  errorCode: codeOf('GROUP_AUTHORIZATION_FAILED'),
  errorMessage: 'Group authorization failed.',
}
const NO_PRODUCER = { throttleTimeMs: 0, producerId: -1, producerEpoch: -1 }

const cluster = (): string => CLUSTER_NAME

/** What has configs. */
interface Configured {
  readonly resourceType: number
  readonly resourceName: string
}

/** What has configs, by the numbers that requests have for it: topics, groups, and all else is the cluster's. */
const CONFIGURED_TOPIC = 2
const CONFIGURED_GROUP = 32

const ownerOf = ({ resourceType, resourceName }: Configured): readonly [AclResourceType, string] => {
  if (resourceType === CONFIGURED_TOPIC) return ['TOPIC', resourceName]
  if (resourceType === CONFIGURED_GROUP) return ['GROUP', resourceName]
  return ['CLUSTER', CLUSTER_NAME]
}

const refusalOf = ({ resourceType, resourceName }: Configured) => {
  const refusals = { [CONFIGURED_TOPIC]: TOPIC_REFUSED, [CONFIGURED_GROUP]: GROUP_REFUSED }
  const refusal =
    resourceType === CONFIGURED_TOPIC || resourceType === CONFIGURED_GROUP ? refusals[resourceType] : REFUSED
  return { ...refusal, resourceType, resourceName }
}

const split = <R extends Configured>(
  access: Access,
  operation: AclOperation,
  resources: readonly R[],
): { readonly allowed: readonly R[]; readonly refused: readonly R[] } => {
  const isAllowed = (resource: R): boolean => access.may(operation, ...ownerOf(resource))
  return {
    allowed: resources.filter(isAllowed),
    refused: resources.filter((resource) => !isAllowed(resource)),
  }
}

const configNeeds = (operation: AclOperation) =>
  [
    { operation, resourceType: 'TOPIC' },
    { operation, resourceType: 'CLUSTER' },
  ] as const

const describedConfigs: Check<typeof describeConfigs> = {
  needs: configNeeds('DESCRIBE_CONFIGS'),
  run: (access, request) => {
    const { allowed, refused } = split(access, 'DESCRIBE_CONFIGS', request.resources)
    return {
      request: { ...request, resources: allowed },
      complete: (response) => ({
        ...response,
        results: [...response.results, ...refused.map((one) => ({ ...refusalOf(one), configs: [] }))],
      }),
    }
  },
}

const replacedConfigs: Check<typeof alterConfigs> = {
  needs: configNeeds('ALTER_CONFIGS'),
  run: (access, request) => {
    const { allowed, refused } = split(access, 'ALTER_CONFIGS', request.resources)
    return {
      request: { ...request, resources: allowed },
      complete: (response) => ({
        ...response,
        responses: [...response.responses, ...refused.map(refusalOf)],
      }),
    }
  },
}

const alteredConfigs: Check<typeof incrementalAlterConfigs> = {
  needs: configNeeds('ALTER_CONFIGS'),
  run: (access, request) => {
    const { allowed, refused } = split(access, 'ALTER_CONFIGS', request.resources)
    return {
      request: { ...request, resources: allowed },
      complete: (response) => ({
        ...response,
        responses: [...response.responses, ...refused.map(refusalOf)],
      }),
    }
  },
}

/** Who may write to a topic, whichever, may be idempotent (KIP-679). */
const idempotence: Check<typeof initProducerId> = {
  needs: [{ operation: 'WRITE', resourceType: 'TOPIC' }],
  run: (access, request) =>
    request.transactionalId !== null ||
    access.may('IDEMPOTENT_WRITE', 'CLUSTER') ||
    access.mayWithAny('WRITE', 'TOPIC')
      ? { request }
      : { answer: { ...NO_PRODUCER, errorCode: REFUSED.errorCode } },
}

/** The APIs that are about the cluster and its configs, and those that are for everybody. */
export const CLUSTER_GUARDS: readonly Guard[] = [
  guard(apiVersions),
  guard(saslHandshake),
  guard(saslAuthenticate),
  guard(
    describeCluster,
    shown(describeCluster, [], (access, response) => ({
      ...response,
      clusterAuthorizedOperations: access.operations(response.clusterAuthorizedOperations, 'CLUSTER'),
    })),
  ),
  guard(
    initProducerId,
    whole(
      initProducerId,
      'WRITE',
      'TRANSACTIONAL_ID',
      ({ transactionalId }) => transactionalId,
      () => ({ ...NO_PRODUCER, errorCode: codeOf('TRANSACTIONAL_ID_AUTHORIZATION_FAILED') }),
    ),
    idempotence,
  ),
  guard(describeConfigs, describedConfigs),
  guard(alterConfigs, replacedConfigs),
  guard(incrementalAlterConfigs, alteredConfigs),
  guard(
    listConfigResources,
    whole(listConfigResources, 'DESCRIBE_CONFIGS', 'CLUSTER', cluster, () => ({
      throttleTimeMs: 0,
      errorCode: REFUSED.errorCode,
      configResources: [],
    })),
  ),
  guard(
    describeLogDirs,
    whole(describeLogDirs, 'DESCRIBE', 'CLUSTER', cluster, () => ({
      throttleTimeMs: 0,
      errorCode: REFUSED.errorCode,
      results: [],
    })),
  ),
  guard(
    describeAcls,
    whole(describeAcls, 'DESCRIBE', 'CLUSTER', cluster, () => ({
      throttleTimeMs: 0,
      ...REFUSED,
      resources: [],
    })),
  ),
  guard(
    createAcls,
    whole(createAcls, 'ALTER', 'CLUSTER', cluster, ({ creations }) => ({
      throttleTimeMs: 0,
      results: creations.map(() => REFUSED),
    })),
  ),
  guard(
    deleteAcls,
    whole(deleteAcls, 'ALTER', 'CLUSTER', cluster, ({ filters }) => ({
      throttleTimeMs: 0,
      filterResults: filters.map(() => ({ ...REFUSED, matchingAcls: [] })),
    })),
  ),
  guard(
    describeClientQuotas,
    whole(describeClientQuotas, 'DESCRIBE_CONFIGS', 'CLUSTER', cluster, () => ({
      throttleTimeMs: 0,
      ...REFUSED,
      entries: null,
    })),
  ),
  guard(
    alterClientQuotas,
    whole(alterClientQuotas, 'ALTER_CONFIGS', 'CLUSTER', cluster, ({ entries }) => ({
      throttleTimeMs: 0,
      entries: entries.map(({ entity }) => ({ ...REFUSED, entity })),
    })),
  ),
  guard(
    describeUserScramCredentials,
    whole(describeUserScramCredentials, 'DESCRIBE', 'CLUSTER', cluster, () => ({
      throttleTimeMs: 0,
      ...REFUSED,
      results: [],
    })),
  ),
  guard(
    alterUserScramCredentials,
    whole(alterUserScramCredentials, 'ALTER', 'CLUSTER', cluster, ({ deletions, upsertions }) => ({
      throttleTimeMs: 0,
      results: [...new Set([...deletions, ...upsertions].map(({ name }) => name))].map((user) => ({
        user,
        ...REFUSED,
      })),
    })),
  ),
]

/** DescribeCluster: this broker, which is the controller as well. Controllers (endpoint type 2) are not reached here. */
import type { describeCluster } from '../../protocol/api/describe-cluster.js'
import { CLUSTER_OPERATIONS, OPERATIONS_NOT_ASKED_FOR } from '../authorized-operations.js'
import { codeOf } from '../response-errors.js'
import type { Handler } from './handler.js'

const BROKERS = 1
const CONTROLLERS = 2

export const handleDescribeCluster: Handler<typeof describeCluster> = (services, request, context) => {
  const { nodeId, metadata } = services
  const { endpointType } = request
  if (endpointType !== BROKERS) {
    const isKnown = endpointType === CONTROLLERS
    return {
      throttleTimeMs: 0,
      errorCode: codeOf(isKnown ? 'MISMATCHED_ENDPOINT_TYPE' : 'UNSUPPORTED_ENDPOINT_TYPE'),
      errorMessage: isKnown
        ? `This is a broker's endpoint; expected endpoint type ${BROKERS} (brokers).`
        : `Endpoint type ${endpointType} is unknown; expected ${BROKERS} (brokers).`,
      endpointType: BROKERS,
      clusterId: '',
      controllerId: -1,
      brokers: [],
      clusterAuthorizedOperations: OPERATIONS_NOT_ASKED_FOR,
    }
  }
  const { host, port } = context.advertised ?? services.address
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    errorMessage: null,
    endpointType: BROKERS,
    clusterId: metadata.clusterId,
    controllerId: nodeId,
    brokers: [{ brokerId: nodeId, host, port, rack: null, isFenced: false }],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
      ? CLUSTER_OPERATIONS
      : OPERATIONS_NOT_ASKED_FOR,
  }
}

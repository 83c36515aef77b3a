/**
 * DescribeCluster: the brokers, the controller and the cluster's id (KIP-700). Version 1 can ask for controllers
 * instead (KIP-919), version 2 for brokers that are fenced as well (KIP-1073).
 */
import { array, bool, int16, int32, int8, string, defineApi } from '../schema.js'

export const describeCluster = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool(),
    endpointType: int8({ since: 1, default: 1 }),
    includeFencedBrokers: bool({ since: 2 }),
  },
  response: {
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string({ nullable: 0, default: null }),
    endpointType: int8({ since: 1, default: 1 }),
    clusterId: string(),
    controllerId: int32({ default: -1 }),
    brokers: array({
      brokerId: int32(),
      host: string(),
      port: int32(),
      rack: string({ nullable: 0, default: null }),
      isFenced: bool({ since: 2 }),
    }),
    clusterAuthorizedOperations: int32({ default: -2147483648 }),
  },
})

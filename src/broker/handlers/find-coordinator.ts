/**
 * FindCoordinator: this broker, for every group and transactional id; asking creates `__consumer_offsets` or
 * `__transaction_state`. Share groups (key type 2) are refused with INVALID_REQUEST, as Kafka does where they are off.
 */
import type { findCoordinator } from '../../protocol/api/find-coordinator.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { responseErrorOf, type ResponseError } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Coordinator = ResponseOf<typeof findCoordinator>['coordinators'][number]

const GROUP = 0
const TRANSACTION = 1
/** The first version that asks for several keys. */
const SEVERAL_SINCE = 4

export const handleFindCoordinator: Handler<typeof findCoordinator> = async (services, request, context) => {
  const { errorCode, errorMessage } = await check(services, request.keyType)
  const { host, port } = context.advertised ?? services.address
  const where = errorCode === 0 ? { nodeId: services.nodeId, host, port } : { nodeId: -1, host: '', port: -1 }
  const isSeveral = context.apiVersion >= SEVERAL_SINCE
  const keys = isSeveral ? request.coordinatorKeys : []
  // Each shape is filled only in the versions that have it.
  const single = isSeveral
    ? { errorCode: 0, errorMessage: null, nodeId: 0, host: '', port: 0 }
    : { errorCode, errorMessage, ...where }
  return {
    throttleTimeMs: 0,
    ...single,
    coordinators: keys.map((key): Coordinator => ({ key, ...where, errorCode, errorMessage })),
  }
}

const check = async (services: BrokerServices, keyType: number): Promise<ResponseError> => {
  try {
    if (keyType !== GROUP && keyType !== TRANSACTION) {
      throw new OttlaError(
        'INVALID_REQUEST',
        `The coordinator key type is ${keyType}; expected ${GROUP} (group) or ${TRANSACTION} (transaction).`,
      )
    }
    await (keyType === GROUP ? services.groups : services.transactions).ready()
    return { errorCode: 0, errorMessage: null }
  } catch (error) {
    return responseErrorOf(error)
  }
}

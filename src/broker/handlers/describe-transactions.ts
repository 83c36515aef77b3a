/** DescribeTransactions: what the coordinator knows of transactional ids (KIP-664). */
import type { describeTransactions } from '../../protocol/api/describe-transactions.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { responseErrorOf } from '../response-errors.js'
import type { BrokerServices } from '../services.js'
import type { Handler } from './handler.js'

type Described = ResponseOf<typeof describeTransactions>['transactionStates'][number]

export const handleDescribeTransactions: Handler<typeof describeTransactions> = async (
  services,
  { transactionalIds },
) => ({
  throttleTimeMs: 0,
  transactionStates: await Promise.all(transactionalIds.map((name) => described(services, name))),
})

const described = async ({ transactions }: BrokerServices, transactionalId: string): Promise<Described> => {
  try {
    const metadata = await transactions.describe(transactionalId)
    const { state, timeoutMs, startTimestamp, producerId, producerEpoch, partitions } = metadata
    return {
      errorCode: 0,
      transactionalId,
      transactionState: state,
      transactionTimeoutMs: timeoutMs,
      transactionStartTimeMs: startTimestamp,
      producerId,
      producerEpoch,
      topics: [...partitions].map(([topic, indexes]) => ({ topic, partitions: [...indexes] })),
    }
  } catch (error) {
    return {
      errorCode: responseErrorOf(error).errorCode,
      transactionalId,
      transactionState: '',
      transactionTimeoutMs: 0,
      transactionStartTimeMs: 0,
      producerId: 0,
      producerEpoch: 0,
      topics: [],
    }
  }
}

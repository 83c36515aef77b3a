/** ListTransactions: the transactional ids that pass all filters (KIP-664, KIP-994). */
import type { listTransactions } from '../../protocol/api/list-transactions.js'
import { TRANSACTION_STATES, type TransactionState } from '../transactions/transaction-metadata.js'
import type { Handler } from './handler.js'

export const handleListTransactions: Handler<typeof listTransactions> = (services, request) => {
  const { stateFilters, producerIdFilters, durationFilter } = request
  const now = services.clock.now()
  const states = stateFilters.filter(isState)
  // With unknown states alone nothing passes: whoever asks for a state wants no other.
  const isAnyState = stateFilters.length === 0
  const passing = services.transactions.list().filter(({ metadata }) => {
    const { producerId, state, startTimestamp } = metadata
    if (producerIdFilters.length > 0 && !producerIdFilters.includes(producerId)) return false
    if (!isAnyState && !states.includes(state)) return false
    return durationFilter < 0 || (startTimestamp >= 0 && now - startTimestamp > durationFilter)
  })
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    unknownStateFilters: stateFilters.filter((state) => !isState(state)),
    transactionStates: passing.map(({ name, metadata: { producerId, state } }) => ({
      transactionalId: name,
      producerId,
      transactionState: state,
    })),
  }
}

const isState = (name: string): name is TransactionState => TRANSACTION_STATES.some((state) => state === name)

/** What an error means for a transaction: whether it can still be aborted, and what the application is told. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/** After these the producer is of no use any more, whatever it asked (TransactionManager, KIP-1050). */
const FATAL: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

/** What a coordinator refuses with, though the transaction can be aborted; anything else that is new to us is fatal. */
const ABORTABLE: ReadonlySet<string> = new Set([
  'TRANSACTION_ABORTABLE',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_ID_MAPPING',
  'GROUP_AUTHORIZATION_FAILED',
  'TOPIC_AUTHORIZATION_FAILED',
  'OPERATION_NOT_ATTEMPTED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'FENCED_INSTANCE_ID',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'REBALANCE_IN_PROGRESS',
])

/** Whether a send that failed so leaves a producer that can only be closed. */
export const isFatalForSend = (error: unknown): boolean => OttlaError.is(error) && FATAL.has(error.code)

/** The same of what the coordinator of the transaction, or of a group, answered. */
export const isFatalFromCoordinator = (error: unknown): boolean =>
  OttlaError.is(error) && !error.retriable && !ABORTABLE.has(error.code)

/** Old coordinators say of a fenced producer that its epoch is invalid (KIP-588). */
export const asFenced = (error: unknown, transactionalId: string): unknown =>
  OttlaError.is(error, 'INVALID_PRODUCER_EPOCH')
    ? new OttlaError(
        'PRODUCER_FENCED',
        `A newer producer has taken over the transactional id ${transactionalId}; close this one.`,
        { cause: error, details: { transactionalId } },
      )
    : error

/** What is refused because of the state that the producer is in. */
export const invalidState = (message: string, cause?: unknown): OttlaError =>
  new OttlaError('INVALID_TXN_STATE', message, { cause })

/** Errors of the transaction coordinator as older clients understand them. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'

/** PRODUCER_FENCED is a later addition; who does not know it is told that its epoch is invalid, which comes to the same. */
export const forOlderClients = (error: unknown, knowsFenced: boolean): unknown =>
  !knowsFenced && OttlaError.is(error, 'PRODUCER_FENCED')
    ? new OttlaError('INVALID_PRODUCER_EPOCH', error.message, { cause: error })
    : error

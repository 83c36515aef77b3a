/** Errors as responses carry them: a protocol code and a message. */
import { noteResponseCause } from '../protocol/response-cause.js'
import { ERRORS, type ErrorCode } from '../runtime/errors/error-table.js'
import { kafkaCodeOf, OttlaError } from '../runtime/errors/ottla-error.js'

/** The two fields that most responses have for an error. */
export interface ResponseError {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/** Both fields where nothing went wrong. */
export const NO_ERROR: ResponseError = { errorCode: 0, errorMessage: null }

/** The protocol code of an error, by its name. */
export const codeOf = (name: ErrorCode): number => ERRORS[name].kafkaCode

/** What of Ottla's own errors a client must tell apart from UNKNOWN_SERVER_ERROR. */
const AS_KAFKA: Partial<Record<ErrorCode, ErrorCode>> = {
  STORAGE_FAILED: 'KAFKA_STORAGE_ERROR',
  STORAGE_CORRUPT: 'KAFKA_STORAGE_ERROR',
  // A log that is closed under a request: its topic was deleted, or the broker is closing.
  RESOURCE_CLOSED: 'NOT_LEADER_OR_FOLLOWER',
  INVALID_ARGUMENT: 'INVALID_REQUEST',
  // Not KAFKA_STORAGE_ERROR, which clients try again: the budget is as it is until somebody makes room.
  DISK_BUDGET_EXCEEDED: 'POLICY_VIOLATION',
}

/** `error` as a response carries it. */
export const responseErrorOf = (error: unknown): ResponseError => {
  if (!OttlaError.is(error)) {
    return {
      errorCode: codeOf('UNKNOWN_SERVER_ERROR'),
      errorMessage: error instanceof Error ? error.message : null,
    }
  }
  const asKafka = AS_KAFKA[error.code]
  return {
    errorCode: asKafka === undefined ? kafkaCodeOf(error) : codeOf(asKafka),
    errorMessage: error.message,
  }
}

/** `part` of a response, which in this process also tells the storage's own error, with the file and the place. */
export const withStorageCause = <P extends object>(part: P, error: unknown): P => {
  if (OttlaError.is(error) && AS_KAFKA[error.code] === 'KAFKA_STORAGE_ERROR') noteResponseCause(part, error)
  return part
}

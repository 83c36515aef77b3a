/**
 * Why a part of a response is an error, for who asks in the same process. Kafka's messages have room for a code and at
 * most a sentence; the error itself, which knows the file and the place, goes beside them and is never encoded, so what
 * leaves the process stays what it was.
 */
import { errorFromKafkaCode, type OttlaError } from '../runtime/errors/ottla-error.js'

/** By the part of the response, and for as long as somebody holds that. */
const causes = new WeakMap<object, OttlaError>()

/** Notes that `part` of a response has its error code because of `cause`. */
export const noteResponseCause = (part: object, cause: OttlaError): void => {
  causes.set(part, cause)
}

/**
 * The error that `part` of a response stands for. In the same process it says what the broker's own error says, which is
 * its `cause`, and has the details of that.
 */
export const errorOfPart = (part: {
  readonly errorCode: number
  readonly errorMessage?: string | null
}): OttlaError => {
  const cause = causes.get(part)
  const message = cause?.message ?? part.errorMessage
  return errorFromKafkaCode(part.errorCode, message, cause && { cause, details: cause.details })
}

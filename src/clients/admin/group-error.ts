/** The error of a group that an admin's request names. */
import { errorFromKafkaCode, type OttlaError } from '../../runtime/errors/ottla-error.js'

/** Says which group it is about, and what the broker said of it if it said anything. */
export const groupError = (groupId: string, errorCode: number, message?: string | null): OttlaError => {
  const meaning = message ?? errorFromKafkaCode(errorCode).message
  return errorFromKafkaCode(errorCode, `Group ${groupId}: ${meaning}`, { details: { groupId } })
}

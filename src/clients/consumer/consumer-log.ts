/** What becomes of a consumer's partitions, as log lines. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { EventSource } from '../../runtime/events.js'
import type { Logger } from '../../runtime/logger.js'
import type { TopicPartition } from '../message.js'
import type { ConsumerEvents } from './consumer-events.js'

/** Tells `logger` of `events` of the consumer that is called `clientId`. */
export const logEvents = (events: EventSource<ConsumerEvents>, logger: Logger, clientId: string): void => {
  const partitionsOf = (partitions: readonly TopicPartition[]) => ({
    clientId,
    partitions: partitions.length,
  })
  events.on('assigned', (partitions) => logger.info(partitionsOf(partitions), 'partitions assigned'))
  events.on('revoked', (partitions) => logger.info(partitionsOf(partitions), 'partitions revoked'))
  events.on('lost', (partitions) => logger.warn(partitionsOf(partitions), 'partitions lost'))
  events.on('error', (err) => {
    // What passes is tried again.
    if (OttlaError.is(err) && err.retriable) logger.debug({ clientId, err }, 'a request is tried again')
    else logger.warn({ clientId, err }, 'consumer met an error')
  })
}

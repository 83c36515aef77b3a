/** What happens in a broker, as log lines: its events, each on the level that it deserves. */
import type { EventSource } from '../runtime/events.js'
import type { Logger } from '../runtime/logger.js'
import type { BrokerEvents } from './broker-events.js'

/** Tells `logger` of `events`. */
export const logEvents = (events: EventSource<BrokerEvents>, logger: Logger): void => {
  events.on('topicCreated', (event) => logger.info(event, 'topic created'))
  events.on('topicDeleted', (event) => logger.info(event, 'topic deleted'))
  events.on('partitionsAdded', (event) => logger.info(event, 'partitions added'))
  events.on('groupRebalanced', ({ groupId, generation, members }) =>
    logger.info({ groupId, generation, members: members.length }, 'group rebalanced'),
  )
  events.on('groupEmpty', (event) => logger.info(event, 'group is empty'))
  events.on('transactionTimedOut', (event) => logger.warn(event, 'transaction timed out and was aborted'))
  events.on('recordsDropped', (event) => logger.debug(event, 'records dropped'))
  events.on('segmentRolled', (event) => logger.debug(event, 'segment rolled'))
  events.on('logRecovered', (event) => logger.info(event, 'partition recovered after an unclean stop'))
  events.on('diskBudgetReached', (event) => logger.warn(event, 'disk budget used up'))
  events.on('diskBudgetRelieved', (event) => logger.info(event, 'disk budget has room again'))
  events.on('logCompacted', (event) => logger.debug(event, 'partition compacted'))
  events.on('compactionFailed', ({ error: err, ...where }) =>
    logger.warn({ ...where, err }, 'partition could not be compacted'),
  )
  events.on('partitionOffline', ({ error: err, ...where }) =>
    logger.error({ ...where, err }, 'partition is off line'),
  )
  events.on('storageFailed', (err) => logger.error({ err }, 'storage failed'))
}

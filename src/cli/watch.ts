/** What happens in the broker, and to its clients, as lines of the log. */
import type { Listener, Ottla } from 'ottla'
import type { Log } from './log.js'

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Tells of the broker's events. */
export const watchBroker = ({ events }: Ottla, log: Log): void => {
  events.on('topicCreated', (event) =>
    log.info('topicCreated', `topic ${event.topic} created, ${counted(event.partitions, 'partition')}`, {
      ...event,
    }),
  )
  events.on('topicDeleted', (event) => log.info('topicDeleted', `topic ${event.topic} deleted`, { ...event }))
  events.on('partitionsAdded', (event) =>
    log.info('partitionsAdded', `topic ${event.topic} has ${counted(event.partitions, 'partition')} now`, {
      ...event,
    }),
  )
  events.on('groupRebalanced', (event) =>
    log.debug(
      'groupRebalanced',
      `group ${event.groupId}: generation ${event.generation}, ${counted(event.members.length, 'member')}`,
      { ...event },
    ),
  )
  events.on('groupEmpty', (event) =>
    log.debug('groupEmpty', `group ${event.groupId}: the last member is gone`, { ...event }),
  )
  events.on('transactionTimedOut', (event) =>
    log.warn(
      'transactionTimedOut',
      `the transaction of ${event.transactionalId} was open for more than ${event.timeoutMs} ms and was aborted`,
      { ...event },
    ),
  )
  events.on('recordsDropped', (event) =>
    log.debug(
      'recordsDropped',
      `${event.topic}-${event.partition}: ${event.reason} dropped offsets ${event.fromOffset} to ${event.toOffset - 1}, ${counted(event.bytes, 'byte')}`,
      { ...event },
    ),
  )
  events.on('segmentRolled', (event) =>
    log.debug('segmentRolled', `${event.topic}-${event.partition}: a segment begins at ${event.baseOffset}`, {
      ...event,
    }),
  )
  events.on('logRecovered', (event) =>
    log.info(
      'logRecovered',
      `${event.topic}-${event.partition} was not closed: ${counted(event.validatedBytes, 'byte')} read through, its checkpoint was ${event.checkpoint}`,
      { ...event },
    ),
  )
  events.on('diskBudgetReached', (event) =>
    log.warn(
      'diskBudgetReached',
      `the disk budget is used up: ${event.usedBytes} of ${counted(event.maxBytes, 'byte')}, ottla.disk.policy is ${event.policy}`,
      { ...event },
    ),
  )
  events.on('diskBudgetRelieved', (event) =>
    log.info(
      'diskBudgetRelieved',
      `the disk budget has room again: ${event.usedBytes} of ${counted(event.maxBytes, 'byte')} are used`,
      { ...event },
    ),
  )
  events.on('partitionOffline', ({ topic, partition, error }) =>
    log.error('partitionOffline', `${topic}-${partition} is off line: ${error.message}`, {
      topic,
      partition,
    }),
  )
  events.on('logCompacted', (event) =>
    log.debug(
      'logCompacted',
      `${event.topic}-${event.partition} compacted from ${counted(event.bytesBefore, 'byte')} to ${event.bytesAfter}`,
      { ...event },
    ),
  )
  events.on('compactionFailed', ({ topic, partition, error }) => {
    const message = error instanceof Error ? error.message : String(error)
    log.warn('compactionFailed', `${topic}-${partition} could not be compacted: ${message}`, {
      topic,
      partition,
    })
  })
}

/** Tells of the clients that a listener turned away. */
export const watchListener = ({ events }: Listener, log: Log): void =>
  events.on('clientRefused', ({ remoteAddress, error }) =>
    log.warn('clientRefused', `client ${remoteAddress} turned away: ${error.message}`, {
      remoteAddress,
      code: error.code,
    }),
  )

/** A consumer of partitions that the application chose: no membership, and commits only if it names a group. */
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import { Events } from '../../runtime/events.js'
import type { ClientContext } from '../context.js'
import type { ConsumerGroupMetadata } from '../group/consumer-group-metadata.js'
import { commitOffsets } from '../group/group-offsets.js'
import { partitionName } from '../message.js'
import { Topic, type AnyTopic } from '../topic.js'
import { Committer } from './committer.js'
import type { ConsumerParts } from './consumer-parts.js'
import type { ConsumerEvents } from './consumer-events.js'
import { logEvents } from './consumer-log.js'
import { ConsumerSensors } from './consumer-metrics.js'
import {
  checkConsumerOptions,
  type CheckedConsumerOptions,
  type ConsumerOptions,
} from './consumer-options.js'
import { Consumption } from './consumption.js'

/** What such a consumer is made of. */
export class AssignedParts implements ConsumerParts {
  readonly name = 'consumer'
  readonly clientId: string
  readonly groupId: string | undefined
  readonly isolationLevel: CheckedConsumerOptions['isolationLevel']
  readonly events = new Events<ConsumerEvents>()
  readonly sensors = new ConsumerSensors()
  readonly isMember = false
  readonly consumption: Consumption
  readonly committer: Committer
  readonly #options: CheckedConsumerOptions

  /** @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT. */
  constructor(context: ClientContext, options: ConsumerOptions) {
    const checked = checkConsumerOptions(options)
    this.#options = checked
    this.groupId = checked.groupId
    this.clientId = context.clientIds.next('consumer')
    logEvents(this.events, context.logger, this.clientId)
    this.isolationLevel = checked.isolationLevel
    this.consumption = new Consumption(context, checked, this.sensors, {
      needsTopics: true,
      stumbled: (error) => this.events.emit('error', error),
      asked: () => this.committer.touched(),
      ...(checked.delivery === 'at-most-once'
        ? { beforeHandOut: (chunk) => this.committer.commitAhead(chunk) }
        : {}),
    })
    const { signal, backoff } = this.consumption
    const { groupId } = checked
    const commits = { ...checked, enableAutoCommit: checked.enableAutoCommit && groupId !== undefined }
    this.committer = new Committer(context, commits, this.sensors, {
      states: this.consumption.states,
      commit: async (offsets) => {
        if (groupId === undefined) return
        const committer = { groupId, memberId: '', generation: -1 }
        await commitOffsets(context, () => committer, offsets, { signal, backoff })
      },
      committed: (offsets) => this.events.emit('committed', offsets),
      failed: (error) => this.events.emit('error', error),
    })
  }

  /** Begins to fetch, as soon as it is known where. */
  start(): void {
    const chosen = new Map<string, { readonly handle: AnyTopic; readonly partition: number }>()
    for (const item of this.#options.assign) {
      const parts =
        item instanceof Topic
          ? item.partitions().map(({ partition }) => ({ handle: item, partition }))
          : [{ handle: item.topicHandle(), partition: item.partition }]
      for (const part of parts)
        chosen.set(partitionName({ topic: part.handle.name, partition: part.partition }), part)
    }
    const states = this.consumption.assign([...chosen.values()], false)
    const { from } = this.#options
    this.consumption.positions
      .begin(states, { groupId: this.groupId, from })
      .catch((error: unknown) => this.consumption.fail(error))
  }

  /** Nobody in particular: an application that assigns partitions itself fences nobody. */
  groupMetadata(groupId: string): ConsumerGroupMetadata {
    return { groupId, memberId: '', generationId: -1, groupInstanceId: null }
  }

  async leave(): Promise<void> {
    this.committer.stop()
    this.consumption.stop(new OttlaError('RESOURCE_CLOSED', 'consumer is closed; open a new one to go on.'))
  }
}

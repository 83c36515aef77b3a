/** A consumer group: what its members share, and the way to become one. */
import { invalidArgument } from '../../runtime/errors/ottla-error.js'
import { Resource } from '../../runtime/lifecycle.js'
import { listGroupOffsets, type GroupOffset } from '../admin/group-offsets.js'
import { describeGroups, type GroupDescription } from '../admin/groups.js'
import type { Consumer } from '../consumer/consumer.js'
import { checkGroupOptions, type GroupConsumerOptions } from '../consumer/consumer-options.js'
import { createGroupConsumer } from '../consumer/group-consumer.js'
import type { ClientContext } from '../context.js'
import { Topic, type AnyTopic, type MessageOf } from '../topic.js'

/** What a group consumes, and how its members do. */
export interface ConsumerGroupOptions<T extends AnyTopic = AnyTopic> extends GroupConsumerOptions {
  /** The topics whose partitions the members share. */
  readonly topics: readonly T[]
}

/** How one member joins: options of its own, over those of the group. */
export interface JoinOptions extends GroupConsumerOptions {
  /** Gives up joining. */
  readonly signal?: AbortSignal
}

/** How to ask about a group. */
export interface GroupQueryOptions {
  /** Gives up waiting. */
  readonly signal?: AbortSignal
}

/**
 * A group of consumers that share the partitions of some topics: each partition is consumed by one member at a time,
 * and what a member has committed is where the next one goes on.
 */
export class ConsumerGroup<T extends AnyTopic = AnyTopic> extends Resource {
  /** The group's name. */
  readonly groupId: string
  /** The topics that its members consume. */
  readonly topics: readonly T[]
  readonly #context: ClientContext
  readonly #options: GroupConsumerOptions

  /**
   * @internal Applications get one from `ottla.consumerGroup()`.
   * @throws OttlaError UNKNOWN_OPTION, INVALID_ARGUMENT.
   */
  constructor(context: ClientContext, groupId: string, options: ConsumerGroupOptions<T>, parent?: Resource) {
    checkGroupId(groupId)
    const { topics, ...others } = checkIsObject(options)
    checkTopics(topics)
    checkGroupOptions(others)
    super(`group ${groupId}`, parent)
    this.groupId = groupId
    this.topics = Object.freeze([...topics])
    this.#context = context
    this.#options = others
  }

  /**
   * Becomes a member, and resolves to its consumer once partitions are assigned (none, when there are more members
   * than partitions).
   * @throws OttlaError what the coordinator refuses the member with, e.g. INVALID_SESSION_TIMEOUT,
   * GROUP_MAX_SIZE_REACHED, INCONSISTENT_GROUP_PROTOCOL.
   */
  async join(options: JoinOptions = {}): Promise<Consumer<MessageOf<T>>> {
    this.assertOpen()
    const { signal, ...own } = checkIsObject(options)
    const { groupId, topics } = this
    const merged = { ...this.#options, ...own }
    return createGroupConsumer<MessageOf<T>>(
      this.#context,
      { groupId, topics, options: merged, signal },
      this,
    )
  }

  /** How far the group has come: every offset that it has committed. */
  async committed(options: GroupQueryOptions = {}): Promise<readonly GroupOffset[]> {
    this.assertOpen()
    return listGroupOffsets(this.#context, this.groupId, options)
  }

  /** Its state, its members and what they are assigned; a group without a past is in the state Dead. */
  async describe(options: GroupQueryOptions = {}): Promise<GroupDescription> {
    this.assertOpen()
    const [description] = await describeGroups(this.#context, [this.groupId], options)
    const { groupId } = this
    return description ?? { groupId, protocolType: '', state: 'Dead', protocol: '', members: [] }
  }

  protected override onClose(): void {
    // Its members are children and closed already.
  }
}

const checkGroupId = (groupId: unknown): void => {
  if (typeof groupId !== 'string' || groupId === '')
    throw invalidArgument('The id of a consumer group', groupId, 'a text that is not empty')
}

const checkIsObject = <O extends object>(options: O): O => {
  if (typeof options === 'object' && (options as unknown) !== null) return options
  throw invalidArgument('The options of consumer group', options, 'an object')
}

const isTopic = (value: unknown): value is AnyTopic => value instanceof Topic

const checkTopics = (topics: readonly unknown[]): void => {
  const given: readonly unknown[] = Array.isArray(topics) ? topics : []
  const handles = given.filter(isTopic)
  if (handles.length === 0 || handles.length < given.length) {
    throw invalidArgument(
      'Option topics of consumer group',
      topics,
      'a list of at least one Topic, from ottla.createTopic() or ottla.topic()',
    )
  }
  const names = handles.map(({ name }) => name)
  if (new Set(names).size < names.length) {
    throw invalidArgument('Option topics of consumer group', names, 'each topic once')
  }
}

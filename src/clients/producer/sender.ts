/**
 * Sends batches to the leaders of their partitions, several under way at once and each partition's in order, again
 * after errors that pass, until they are stored or their time is up.
 */
import { produce } from '../../protocol/api/produce.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { errorFromKafkaCode, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Leader } from '../cluster.js'
import type { ClientContext } from '../context.js'
import { backoffMs } from '../retry.js'
import { PartitionQueue } from './partition-queue.js'
import type { ProducerBatch } from './producer-batch.js'
import { requestIdentity, type ProducerIdentity } from './producer-identity.js'
import type { CheckedProducerOptions } from './producer-options.js'
import { Wakeup } from './wakeup.js'

interface Part {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
  readonly leader: Leader
}

interface Request {
  readonly nodeId: number
  readonly parts: readonly Part[]
  readonly deadline: number
  isOver: boolean
}

/** Errors after which the leader, or the topic itself, is looked up anew. */
const STALE_METADATA = new Set([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'FENCED_LEADER_EPOCH',
  'NETWORK_EXCEPTION',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
])

/** Errors after which the producer's identity, not the record, has to change. */
const VOID_IDENTITY = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
])

/** The sending half of a producer. */
export class Sender {
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  readonly #release: (batch: ProducerBatch) => void
  readonly #closeSignal: AbortSignal
  readonly #queues = new Map<string, Map<number, PartitionQueue>>()
  /** Those that have something to send. */
  readonly #ready = new Set<PartitionQueue>()
  readonly #requests = new Set<Request>()
  readonly #inFlightByNode = new Map<number, number>()
  readonly #wakeup: Wakeup
  #identity: ProducerIdentity | undefined
  #asking: Promise<ProducerIdentity> | undefined
  #isDrainScheduled = false

  /** `release` is called once for every batch that is finished, well or not. */
  constructor(
    context: ClientContext,
    options: CheckedProducerOptions,
    closeSignal: AbortSignal,
    release: (batch: ProducerBatch) => void,
  ) {
    this.#context = context
    this.#options = options
    this.#closeSignal = closeSignal
    this.#release = release
    this.#wakeup = new Wakeup(context, () => this.#onWakeup())
  }

  /** The queue of a partition. */
  queue(topic: string, partition: number): PartitionQueue {
    let partitions = this.#queues.get(topic)
    if (partitions === undefined) this.#queues.set(topic, (partitions = new Map<number, PartitionQueue>()))
    let queue = partitions.get(partition)
    if (queue === undefined) partitions.set(partition, (queue = new PartitionQueue(topic, partition)))
    return queue
  }

  /** Records were added to `queue`: they go out at the end of this turn, or when they have lingered. */
  added(queue: PartitionQueue): void {
    if (this.#options.lingerMs === 0 || queue.waiting.length > 0) {
      this.#ready.add(queue)
      this.#scheduleDrain()
    }
    if (queue.gathering !== undefined) {
      if (this.#options.lingerMs > 0)
        this.#wakeup.at(queue.gathering.createdAt + this.#options.lingerMs, true)
      this.#wakeup.at(queue.gathering.createdAt + this.#options.deliveryTimeoutMs, false)
    }
  }

  /** Sends all that has been gathered, without waiting for more; resolves when it is stored or has failed. */
  async flush(): Promise<void> {
    const unfinished: Promise<unknown>[] = []
    for (const queue of this.#allQueues()) {
      queue.complete()
      if (queue.waiting.length > 0) this.#ready.add(queue)
      for (const batch of queue.batches()) unfinished.push(batch.whenFinished())
    }
    this.#scheduleDrain()
    await Promise.all(unfinished)
  }

  /** Gives up whatever is left. */
  stop(error: OttlaError): void {
    this.#wakeup.cancel()
    for (const queue of this.#allQueues())
      for (const batch of [...queue.batches()]) this.#fail(queue, batch, error)
    this.#ready.clear()
  }

  #scheduleDrain(): void {
    if (this.#isDrainScheduled || this.#ready.size === 0) return
    this.#isDrainScheduled = true
    // The end of the turn: what a loop sends without awaiting each shares its batches.
    queueMicrotask(() => {
      this.#isDrainScheduled = false
      this.#drain()
    })
  }

  /** Sends what can be sent now: at most one batch of a partition in a request, one request after another. */
  #drain(): void {
    for (;;) {
      const parts = new Map<number, Part[]>()
      const sizes = new Map<number, number>()
      for (const queue of this.#ready) {
        const part = this.#nextPart(queue)
        if (part === undefined) continue
        const { nodeId } = part.leader
        const size = (sizes.get(nodeId) ?? 0) + part.batch.sizeBytes
        const others = parts.get(nodeId)
        if (others !== undefined && size > this.#options.maxRequestSize) continue
        sizes.set(nodeId, size)
        if (others === undefined) parts.set(nodeId, [part])
        else others.push(part)
        queue.waiting.shift()
        queue.inFlight.push(part.batch)
        if (queue.waiting.length === 0 && !this.#mayComplete(queue)) this.#ready.delete(queue)
      }
      if (parts.size === 0) return
      for (const [nodeId, ofNode] of parts) this.#send(nodeId, ofNode)
    }
  }

  /** The batch of `queue` that may be sent now, encoded, and where to; undefined while something is missing for it. */
  #nextPart(queue: PartitionQueue): Part | undefined {
    if (queue.isBusy) return undefined
    if (queue.waiting.length === 0 && this.#mayComplete(queue)) queue.complete()
    const batch = queue.waiting[0]
    if (batch === undefined) {
      this.#ready.delete(queue)
      return undefined
    }
    const now = this.#context.clock.monotonic()
    if (queue.retryAt > now) {
      this.#wakeup.at(queue.retryAt, true)
      return undefined
    }
    // What is sent again must be stored before anything new of the partition goes out.
    if (batch.attempts > 0 && queue.inFlight.length > 0) return undefined
    if (!this.#options.enableIdempotence && queue.inFlight.length > 0) return undefined
    const leader = this.#context.cluster.knownLeader(queue.topic, queue.partition)
    if (leader === undefined) {
      this.#findLeader(queue)
      return undefined
    }
    if ((this.#inFlightByNode.get(leader.nodeId) ?? 0) >= this.#options.maxInFlightRequestsPerConnection)
      return undefined
    if (this.#options.enableIdempotence && batch.sequence === undefined) {
      if (this.#identity === undefined) {
        this.#askIdentity()
        return undefined
      }
      const identity = this.#identity
      batch.sequence = { identity, baseSequence: queue.nextSequence(identity, batch) }
    }
    if (batch.encoded === undefined) {
      const encoding = batch.encode(this.#options.compressionType)
      if (encoding !== undefined) {
        this.#whileBusy(queue, encoding)
        return undefined
      }
    }
    return { queue, batch, leader }
  }

  /** Whether what a partition gathers goes out now, though it is not full: it has lingered long enough. */
  #mayComplete({ gathering }: PartitionQueue): boolean {
    if (gathering === undefined) return false
    return (
      this.#options.lingerMs === 0 ||
      this.#context.clock.monotonic() - gathering.createdAt >= this.#options.lingerMs
    )
  }

  #send(nodeId: number, parts: readonly Part[]): void {
    const [first] = parts
    if (first === undefined) return
    const deadline = this.#context.clock.monotonic() + this.#options.requestTimeoutMs
    const request: Request = { nodeId, parts, deadline, isOver: false }
    this.#requests.add(request)
    this.#inFlightByNode.set(nodeId, (this.#inFlightByNode.get(nodeId) ?? 0) + 1)
    this.#wakeup.at(deadline, false)
    for (const { batch } of parts) {
      batch.state = 'in flight'
      batch.attempts++
    }
    const { acks, requestTimeoutMs } = this.#options
    const message = {
      transactionalId: null,
      acks: acks === 'all' ? -1 : acks,
      timeoutMs: requestTimeoutMs,
      topicData: topicDataOf(parts),
    }
    first.leader.channel.send(produce, message).then(
      (response) => this.#settle(request, () => this.#onResponse(parts, response)),
      (error: unknown) => this.#settle(request, () => this.#onRequestError(parts, error)),
    )
    // Nobody tells how such a request ends.
    if (acks === 0) {
      this.#settle(request, () => {
        for (const { queue, batch } of parts) this.#succeed(queue, batch, -1, -1)
      })
    }
  }

  #settle(request: Request, outcome: () => void): void {
    if (request.isOver) return
    request.isOver = true
    this.#requests.delete(request)
    this.#inFlightByNode.set(request.nodeId, (this.#inFlightByNode.get(request.nodeId) ?? 1) - 1)
    outcome()
    for (const { queue } of request.parts)
      if (queue.waiting.length > 0 || this.#mayComplete(queue)) this.#ready.add(queue)
    this.#scheduleDrain()
  }

  #onResponse(parts: readonly Part[], { responses }: ResponseOf<typeof produce>): void {
    for (const { queue, batch, leader } of parts) {
      const ofTopic = responses.find(
        ({ topicId, name }) => topicId === leader.topicId || name === batch.topic,
      )
      const answer = ofTopic?.partitionResponses.find(({ index }) => index === batch.partition)
      if (answer === undefined)
        this.#onError(queue, batch, new OttlaError('NETWORK_EXCEPTION', 'The answer lacks a partition.'))
      else if (answer.errorCode === 0) this.#succeed(queue, batch, answer.baseOffset, answer.logAppendTimeMs)
      else this.#onError(queue, batch, produceError(batch, answer.errorCode, answer.errorMessage))
    }
  }

  #onRequestError(parts: readonly Part[], error: unknown): void {
    for (const { queue, batch } of parts) {
      if (OttlaError.is(error, 'REQUEST_TIMED_OUT')) batch.detachBytes()
      this.#onError(queue, batch, error)
    }
  }

  #onError(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    if (batch.state === 'finished') return
    // The broker has it already: an answer was lost, not the record.
    if (OttlaError.is(error, 'DUPLICATE_SEQUENCE_NUMBER')) {
      this.#succeed(queue, batch, -1, -1)
      return
    }
    const isVoid = batch.sequence !== undefined && OttlaError.is(error) && VOID_IDENTITY.has(error.code)
    if (!OttlaError.is(error) || (!error.retriable && !isVoid) || batch.attempts > this.#options.retries) {
      this.#fail(queue, batch, error)
      return
    }
    if (STALE_METADATA.has(error.code)) this.#context.cluster.invalidate(batch.topic)
    if (this.#isExpired(batch)) {
      this.#fail(queue, batch, deliveryTimedOut(batch, this.#options.deliveryTimeoutMs, error))
      return
    }
    queue.remove(batch)
    // Out of order because one before it has yet to be sent again: then it keeps its place and waits its turn.
    if (isVoid && !queue.hasEarlier(batch)) {
      if (batch.sequence?.identity === this.#identity) this.#identity = undefined
      batch.sequence = undefined
      this.#renew(queue, batch)
    }
    queue.putBack(batch)
    queue.retryAt =
      this.#context.clock.monotonic() + backoffMs(this.#options, batch.attempts - 1, this.#context.random)
    this.#ready.add(queue)
  }

  /** A batch whose place in the sequence proved void gets one under the next identity before it is sent again. */
  #renew(queue: PartitionQueue, batch: ProducerBatch): void {
    queue.isBusy = true
    const renewal = this.#nextIdentity().then((identity) => {
      if (batch.state !== 'finished')
        batch.restamp({ identity, baseSequence: queue.nextSequence(identity, batch) })
    })
    this.#whileBusy(queue, renewal)
  }

  #succeed(queue: PartitionQueue, batch: ProducerBatch, baseOffset: number, logAppendTime: number): void {
    if (batch.state === 'finished') return
    queue.remove(batch)
    batch.succeed(baseOffset, logAppendTime)
    this.#release(batch)
  }

  #fail(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    if (batch.state === 'finished') return
    // A hole in the sequence would have the broker refuse all that follows, so what follows gets a new identity.
    if (batch.sequence !== undefined && batch.sequence.identity === this.#identity) this.#identity = undefined
    queue.remove(batch)
    batch.fail(error)
    this.#release(batch)
  }

  #findLeader(queue: PartitionQueue): void {
    const finding = this.#context.cluster.leader(queue.topic, queue.partition, { signal: this.#closeSignal })
    this.#whileBusy(queue, finding)
  }

  #askIdentity(): void {
    if (this.#asking !== undefined) return
    this.#nextIdentity().catch((error: unknown) => {
      for (const queue of this.#ready) {
        const batch = queue.waiting[0]
        if (batch !== undefined) this.#fail(queue, batch, error)
      }
      this.#scheduleDrain()
    })
  }

  /** The identity, asked for if there is none; whoever asks meanwhile shares it. */
  #nextIdentity(): Promise<ProducerIdentity> {
    if (this.#identity !== undefined) return Promise.resolve(this.#identity)
    this.#asking ??= requestIdentity(this.#context, this.#closeSignal)
      .then((identity) => {
        this.#identity = identity
        this.#scheduleDrain()
        return identity
      })
      .finally(() => {
        this.#asking = undefined
      })
    return this.#asking
  }

  /** Leaves `queue` alone until `work` for its first batch is done; if that fails, so does the batch, unless it passes. */
  #whileBusy(queue: PartitionQueue, work: Promise<unknown>): void {
    queue.isBusy = true
    work
      .catch((error: unknown) => {
        const batch = queue.waiting[0]
        if (batch === undefined) return
        if (
          OttlaError.is(error) &&
          error.retriable &&
          error.code !== 'UNKNOWN_TOPIC_OR_PARTITION' &&
          !this.#isExpired(batch)
        ) {
          queue.retryAt =
            this.#context.clock.monotonic() + backoffMs(this.#options, batch.attempts, this.#context.random)
        } else this.#fail(queue, batch, error)
      })
      .finally(() => {
        queue.isBusy = false
        this.#ready.add(queue)
        this.#scheduleDrain()
      })
      .catch(() => undefined)
  }

  #isExpired(batch: ProducerBatch): boolean {
    return this.#context.clock.monotonic() - batch.createdAt >= this.#options.deliveryTimeoutMs
  }

  /** Something's time has come: a linger, a retry, a request's deadline or a batch's. */
  #onWakeup(): void {
    const now = this.#context.clock.monotonic()
    for (const request of [...this.#requests]) {
      if (request.deadline > now) this.#wakeup.at(request.deadline, false)
      else {
        const timedOut = new OttlaError(
          'REQUEST_TIMED_OUT',
          `No answer came within requestTimeoutMs (${this.#options.requestTimeoutMs}).`,
        )
        this.#settle(request, () => this.#onRequestError(request.parts, timedOut))
      }
    }
    for (const queue of this.#allQueues()) {
      for (const batch of [...queue.batches()]) {
        if (this.#isExpired(batch))
          this.#fail(queue, batch, deliveryTimedOut(batch, this.#options.deliveryTimeoutMs))
        else this.#wakeup.at(batch.createdAt + this.#options.deliveryTimeoutMs, false)
      }
      if (queue.waiting.length > 0 || this.#mayComplete(queue)) this.#ready.add(queue)
      else if (queue.gathering !== undefined)
        this.#wakeup.at(queue.gathering.createdAt + this.#options.lingerMs, true)
    }
    this.#scheduleDrain()
  }

  *#allQueues(): Iterable<PartitionQueue> {
    for (const partitions of this.#queues.values()) yield* partitions.values()
  }
}

const topicDataOf = (parts: readonly Part[]) => {
  const topics = new Map<
    string,
    { name: string; topicId: string; partitionData: { index: number; records: Uint8Array[] }[] }
  >()
  for (const { batch, leader } of parts) {
    let topic = topics.get(leader.topicId)
    if (topic === undefined)
      topics.set(leader.topicId, (topic = { name: batch.topic, topicId: leader.topicId, partitionData: [] }))
    topic.partitionData.push({
      index: batch.partition,
      records: batch.encoded === undefined ? [] : [batch.encoded],
    })
  }
  return [...topics.values()]
}

const produceError = (
  { topic, partition }: ProducerBatch,
  errorCode: number,
  message: string | null,
): OttlaError => {
  const { message: meaning } = errorFromKafkaCode(errorCode)
  return errorFromKafkaCode(errorCode, `${topic}-${partition}: ${message ?? meaning}`, {
    details: { topic, partition },
  })
}

const deliveryTimedOut = (
  { topic, partition }: ProducerBatch,
  timeoutMs: number,
  cause?: unknown,
): OttlaError =>
  new OttlaError(
    'DELIVERY_TIMED_OUT',
    `Records for ${topic}-${partition} were not acknowledged within deliveryTimeoutMs (${timeoutMs}).`,
    { cause, details: { topic, partition } },
  )

/**
 * Sends batches to the leaders of their partitions, several under way at once and each partition's in order, again
 * after errors that pass, until they are stored or their time is up.
 */
import { produce } from '../../protocol/api/produce.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import { backoffMs, isStorageDown } from '../retry.js'
import type { PartitionQueue } from './partition-queue.js'
import {
  answerFor,
  deliveryTimedOut,
  produceError,
  produceRequestOf,
  STALE_METADATA,
  VOID_IDENTITY,
  type Part,
} from './produce-request.js'
import type { ProducerBatch } from './producer-batch.js'
import { IdentitySource, type Identities } from './producer-identity.js'
import type { ProducerSensors } from './producer-metrics.js'
import type { CheckedProducerOptions } from './producer-options.js'
import type { TransactionManager } from './transaction-manager.js'
import { Wakeup } from '../wakeup.js'

/** From this version on, producing adds the partition to the transaction (KIP-890). */
const EXPLICIT_PRODUCE_VERSION = 11

interface Request {
  readonly nodeId: number
  readonly parts: readonly Part[]
  readonly deadline: number
  isOver: boolean
}

/** The sending half of a producer. */
export class Sender {
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  readonly #sensors: ProducerSensors
  readonly #release: (batch: ProducerBatch) => void
  readonly #closeSignal: AbortSignal
  readonly #identities: Identities
  readonly #transactions: TransactionManager | undefined
  /** Those that have batches. */
  readonly #queues = new Set<PartitionQueue>()
  /** Those that have something to send. */
  readonly #ready = new Set<PartitionQueue>()
  readonly #requests = new Set<Request>()
  readonly #inFlightByNode = new Map<number, number>()
  readonly #wakeup: Wakeup
  #isDrainScheduled = false

  /** `release` is called once for every batch that is finished, well or not. */
  constructor(
    context: ClientContext,
    options: CheckedProducerOptions,
    sensors: ProducerSensors,
    closeSignal: AbortSignal,
    release: (batch: ProducerBatch) => void,
    transactions?: TransactionManager,
  ) {
    this.#context = context
    this.#options = options
    this.#sensors = sensors
    this.#closeSignal = closeSignal
    this.#release = release
    this.#transactions = transactions
    this.#identities = transactions ?? new IdentitySource(context, closeSignal)
    this.#wakeup = new Wakeup(context, () => this.#onWakeup())
  }

  /** How many requests are not answered yet. */
  get requestsInFlight(): number {
    return this.#requests.size
  }

  /** `queue` has a batch more: it goes out at the end of this turn, or when it has lingered. */
  added(queue: PartitionQueue, { createdAt }: ProducerBatch): void {
    const { lingerMs, deliveryTimeoutMs } = this.#options
    this.#queues.add(queue)
    if (lingerMs === 0) this.ready(queue)
    if (lingerMs > 0) this.#wakeup.at(createdAt + lingerMs, true)
    this.#wakeup.at(createdAt + deliveryTimeoutMs, false)
  }

  /** `queue` may have something to send, which goes out at the end of this turn. */
  ready(queue: PartitionQueue): void {
    this.#ready.add(queue)
    this.#scheduleDrain()
  }

  /** Sends all that has been gathered, without waiting for more. */
  completeAll(): void {
    for (const queue of this.#queues) {
      queue.complete()
      this.ready(queue)
    }
  }

  /** As {@link completeAll}; resolves when all of it is stored or has failed. */
  async flush(): Promise<void> {
    this.completeAll()
    const unfinished = [...this.#queues].flatMap((queue) =>
      queue.batches().map((batch) => batch.whenFinished()),
    )
    await Promise.all(unfinished)
  }

  /** Gives up whatever is left. */
  stop(error: OttlaError): void {
    this.#wakeup.cancel()
    for (const queue of this.#queues) for (const batch of queue.batches()) this.#fail(queue, batch, error)
    this.#ready.clear()
  }

  /** Gives up what is not under way; what is has yet to tell its outcome. */
  drop(error: OttlaError): void {
    for (const queue of this.#queues) this.#dropOf(queue, error)
  }

  #dropOf(queue: PartitionQueue, error: OttlaError): void {
    for (const batch of queue.batches()) if (batch.state !== 'in flight') this.#fail(queue, batch, error)
    this.#ready.delete(queue)
  }

  #scheduleDrain(): void {
    if (this.#isDrainScheduled || this.#ready.size === 0) return
    this.#isDrainScheduled = true
    // The end of the turn (queueMicrotask would make an async resource of every call): what a loop sends without awaiting each shares its batches.
    void Promise.resolve().then(() => {
      this.#isDrainScheduled = false
      this.#drain()
    })
  }

  /** Sends what can be sent now: at most one batch of a partition in a request, one request after another. */
  #drain(): void {
    for (;;) {
      const parts = new Map<number, Part[]>()
      const sizes = new Map<number, number>()
      // Each has one turn. Who has had it goes to the end of the line, so that full requests starve nobody.
      let turns = this.#ready.size
      for (const queue of this.#ready) {
        if (turns-- === 0) break
        const part = this.#nextPart(queue)
        if (part === undefined) continue
        const { nodeId } = part.leader
        const size = (sizes.get(nodeId) ?? 0) + part.batch.sizeBytes
        const others = parts.get(nodeId)
        if (others !== undefined && size > this.#options.maxRequestSize) continue
        sizes.set(nodeId, size)
        if (others === undefined) parts.set(nodeId, [part])
        else others.push(part)
        queue.sent(part.batch, nodeId)
        this.#ready.delete(queue)
        this.#ready.add(queue)
      }
      if (parts.size === 0) return
      for (const [nodeId, ofNode] of parts) this.#send(nodeId, ofNode)
    }
  }

  /** The batch of `queue` that may be sent now, encoded, and where to; undefined while something is missing for it. */
  #nextPart(queue: PartitionQueue): Part | undefined {
    if (queue.busyCount > 0) return undefined
    const refusal = this.#transactions?.refusal
    if (refusal !== undefined) {
      this.#dropOf(queue, refusal)
      return undefined
    }
    const batch = this.#nextBatch(queue)
    if (batch === undefined) {
      this.#ready.delete(queue)
      return undefined
    }
    if (queue.retryAt > 0) {
      if (queue.retryAt > this.#context.clock.monotonic()) {
        this.#wakeup.at(queue.retryAt, true)
        return undefined
      }
      queue.retryAt = 0
    }
    const { enableIdempotence, maxInFlightRequestsPerConnection, compressionType } = this.#options
    const { current } = this.#identities
    const leader = this.#context.cluster.knownLeader(queue.topic, queue.partition)
    if (leader === undefined) {
      this.#whileBusy(
        queue,
        this.#context.cluster.leader(queue.topic, queue.partition, { signal: this.#closeSignal }),
      )
      return undefined
    }
    if (!queue.mayFollow(batch, enableIdempotence ? current : undefined, leader.nodeId)) return undefined
    if ((this.#inFlightByNode.get(leader.nodeId) ?? 0) >= maxInFlightRequestsPerConnection) return undefined
    const enlisting = this.#transactions?.enlist(queue.topic, queue.partition)
    if (enlisting !== undefined) {
      this.#whileBusy(queue, enlisting)
      return undefined
    }
    if (enableIdempotence && batch.sequence === undefined) {
      if (current === undefined) {
        this.#whileBusy(queue, this.#identities.next())
        return undefined
      }
      batch.follow({ identity: current, baseSequence: queue.nextSequence(current, batch) })
    }
    if (batch.encoded === undefined) {
      const encoding = batch.encode(compressionType)
      if (encoding !== undefined) {
        this.#whileBusy(queue, encoding)
        return undefined
      }
    }
    return { queue, batch, leader }
  }

  #nextBatch(queue: PartitionQueue): ProducerBatch | undefined {
    const waiting = queue.firstWaiting()
    if (waiting !== undefined || !this.#hasLingered(queue)) return waiting
    queue.complete()
    return queue.firstWaiting()
  }

  /** Whether what a partition gathers goes out now, though it is not full: it has lingered long enough. */
  #hasLingered({ gathering }: PartitionQueue): boolean {
    if (gathering === undefined) return false
    const { lingerMs } = this.#options
    return lingerMs === 0 || this.#context.clock.monotonic() - gathering.createdAt >= lingerMs
  }

  #send(nodeId: number, parts: readonly Part[]): void {
    const [first] = parts
    if (first === undefined) return
    const { acks, requestTimeoutMs } = this.#options
    const sentAt = this.#context.clock.monotonic()
    const deadline = sentAt + requestTimeoutMs
    const request: Request = { nodeId, parts, deadline, isOver: false }
    this.#requests.add(request)
    this.#inFlightByNode.set(nodeId, (this.#inFlightByNode.get(nodeId) ?? 0) + 1)
    this.#wakeup.at(deadline, false)
    this.#sensors.sent(parts, sentAt)
    const transactions = this.#transactions
    const produceRequest = produceRequestOf(
      parts,
      acks,
      requestTimeoutMs,
      transactions?.transactionalId ?? null,
    )
    const options = transactions?.isImplicit === false ? { maxVersion: EXPLICIT_PRODUCE_VERSION } : undefined
    first.leader.channel.send(produce, produceRequest, options).then(
      (response) => {
        this.#sensors.answered(sentAt, this.#context.clock.monotonic())
        this.#settle(request, () => this.#onResponse(parts, response))
      },
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
    for (const { queue } of request.parts) if (!queue.isEmpty) this.#ready.add(queue)
    this.#scheduleDrain()
  }

  #onResponse(parts: readonly Part[], response: ResponseOf<typeof produce>): void {
    for (const part of parts) {
      const { queue, batch } = part
      const answer = answerFor(response, part)
      if (answer === undefined)
        this.#onError(queue, batch, new OttlaError('NETWORK_EXCEPTION', 'The answer lacks a partition.'))
      else if (answer.errorCode === 0) this.#succeed(queue, batch, answer.baseOffset, answer.logAppendTimeMs)
      else this.#onError(queue, batch, produceError(batch, answer))
    }
  }

  #onRequestError(parts: readonly Part[], error: unknown): void {
    for (const { queue, batch } of parts) this.#onError(queue, batch, error)
  }

  #onError(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    if (batch.state === 'finished') return
    // The broker has it already: an answer was lost, not the record.
    if (OttlaError.is(error, 'DUPLICATE_SEQUENCE_NUMBER')) {
      this.#succeed(queue, batch, -1, -1)
      return
    }
    if (OttlaError.is(error, 'MESSAGE_TOO_LARGE') && batch.recordCount > 1) {
      queue.returned(batch)
      this.#whileBusy(queue, this.#split(queue, batch))
      return
    }
    // A transaction has one identity for all of it: what is refused under it, or comes back too late, is not sent again.
    const refusal = this.#transactions?.refusal
    if (refusal !== undefined) {
      this.#fail(queue, batch, refusal)
      return
    }
    const isVoid =
      batch.sequence !== undefined &&
      OttlaError.is(error) &&
      VOID_IDENTITY.has(error.code) &&
      (this.#transactions === undefined || queue.hasEarlier(batch))
    const isLasting = batch.attempts > this.#options.retries || isStorageDown(error, batch.attempts)
    if (!OttlaError.is(error) || (!error.retriable && !isVoid) || isLasting) {
      this.#fail(queue, batch, error)
      return
    }
    if (STALE_METADATA.has(error.code)) this.#context.cluster.invalidate(batch.topic)
    if (this.#isExpired(batch)) {
      this.#fail(queue, batch, deliveryTimedOut(batch, this.#options.deliveryTimeoutMs, error))
      return
    }
    queue.returned(batch)
    batch.detachBytes()
    const now = this.#context.clock.monotonic()
    this.#sensors.retried(batch, now)
    const { topic, partition, attempts } = batch
    this.#context.logger.debug({ topic, partition, attempts, err: error }, 'a batch is sent again')
    queue.retryAt = now + backoffMs(this.#options, batch.attempts - 1, this.#context.random)
    // Out of order because one before it has yet to be sent again: then it keeps its place and waits its turn. Otherwise
    // the place is void, and it gets one under the next identity.
    if (isVoid && !queue.hasEarlier(batch)) {
      if (batch.sequence !== undefined) this.#identities.discard(batch.sequence.identity)
      batch.sequence = undefined
    }
  }

  /** Too large together: in halves, down to the one record that is too large by itself. */
  async #split(queue: PartitionQueue, batch: ProducerBatch): Promise<void> {
    const halves = await batch.split(this.#options.compressionType)
    if (batch.state === 'finished') return
    queue.replace(batch, halves)
    this.#sensors.split(this.#context.clock.monotonic())
    batch.replacedBy(halves)
  }

  #succeed(queue: PartitionQueue, batch: ProducerBatch, baseOffset: number, logAppendTime: number): void {
    if (batch.state === 'finished') return
    if (batch.sequence !== undefined) queue.established(batch.sequence.identity)
    this.#remove(queue, batch)
    batch.succeed(baseOffset, logAppendTime)
    this.#release(batch)
  }

  #fail(queue: PartitionQueue, batch: ProducerBatch, error: unknown): void {
    if (batch.state === 'finished') return
    // A hole in the sequence would have the broker refuse all that follows, so what follows gets a new identity.
    if (batch.sequence !== undefined) this.#identities.discard(batch.sequence.identity)
    this.#transactions?.sendFailed(error)
    this.#sensors.failed(batch, this.#context.clock.monotonic())
    this.#remove(queue, batch)
    batch.fail(error)
    this.#release(batch)
  }

  #remove(queue: PartitionQueue, batch: ProducerBatch): void {
    queue.remove(batch)
    if (queue.isEmpty) this.#queues.delete(queue)
  }

  /** Leaves `queue` alone until `work` for its first batch is done; if that fails, so does the batch, unless it passes. */
  #whileBusy(queue: PartitionQueue, work: Promise<unknown>): void {
    queue.busyCount++
    const done = (): void => {
      queue.busyCount--
      this.ready(queue)
    }
    work.then(done, (error: unknown) => {
      const batch = queue.firstWaiting()
      if (batch !== undefined) {
        // A topic that is not there is an answer, though Kafka counts it as retriable.
        const mayPass = OttlaError.is(error) && error.retriable && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION'
        if (mayPass && !this.#isExpired(batch)) {
          queue.retryAt =
            this.#context.clock.monotonic() + backoffMs(this.#options, batch.attempts, this.#context.random)
        } else this.#fail(queue, batch, error)
      }
      done()
    })
  }

  #isExpired(batch: ProducerBatch): boolean {
    return this.#context.clock.monotonic() - batch.createdAt >= this.#options.deliveryTimeoutMs
  }

  /** Something's time has come: a linger, a retry, a request's deadline or a batch's. */
  #onWakeup(): void {
    const { requestTimeoutMs, deliveryTimeoutMs, lingerMs } = this.#options
    const now = this.#context.clock.monotonic()
    for (const request of [...this.#requests]) {
      if (request.deadline > now) this.#wakeup.at(request.deadline, false)
      else {
        const message = `No answer came within requestTimeoutMs (${requestTimeoutMs}).`
        this.#settle(request, () =>
          this.#onRequestError(request.parts, new OttlaError('REQUEST_TIMED_OUT', message)),
        )
      }
    }
    for (const queue of this.#queues) {
      for (const batch of queue.batches()) {
        if (this.#isExpired(batch)) this.#fail(queue, batch, deliveryTimedOut(batch, deliveryTimeoutMs))
        else this.#wakeup.at(batch.createdAt + deliveryTimeoutMs, false)
      }
      if (queue.gathering !== undefined && !this.#hasLingered(queue))
        this.#wakeup.at(queue.gathering.createdAt + lingerMs, true)
      this.ready(queue)
    }
  }
}

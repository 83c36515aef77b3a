/**
 * The gathering half of a producer: gives records room in bufferMemory, one send after another, and puts them into the
 * batches of their partitions.
 */
import { deferred, type Deferred } from '../../runtime/abort.js'
import { Budget } from '../../runtime/budget.js'
import { OttlaError } from '../../runtime/errors/ottla-error.js'
import type { ClientContext } from '../context.js'
import type { Recipient } from './delivery.js'
import { ANY_PARTITION, type EncodedRecord } from './encode-record.js'
import { StickyPartition } from './partitioner.js'
import type { PendingSend } from './pending-send.js'
import { ProducerBatch } from './producer-batch.js'
import type { ProducerSensors } from './producer-metrics.js'
import type { CheckedProducerOptions } from './producer-options.js'
import type { Sender } from './sender.js'
import { TopicQueues } from './topic-queues.js'
import { Wakeup } from '../wakeup.js'

/** How long records are encoded and added before the event loop gets its turn. */
const MAX_SLICE_MS = 2
/** How many records pass between two looks at the clock. */
const RECORDS_PER_LOOK = 64

/** Why a send is not wholly in batches. */
type Hindrance = 'time' | 'room'

/** Takes sends, in order, and turns them into batches. */
export class Accumulator {
  readonly #context: ClientContext
  readonly #options: CheckedProducerOptions
  readonly #sender: Sender
  readonly #sensors: ProducerSensors
  readonly #buffer: Budget
  readonly #batchLimit: number
  readonly #topics = new Map<string, TopicQueues>()
  /** Sends that wait, for room or their turn, in order: none overtakes another. */
  readonly #backlog: PendingSend[] = []
  readonly #wakeup: Wakeup
  #empty: Deferred<undefined> | undefined
  #isPumpDeferred = false
  /** Since when there has been no room for the first of the backlog; undefined while that is not what it waits for. */
  #roomWaitSince: number | undefined

  constructor(
    context: ClientContext,
    options: CheckedProducerOptions,
    sender: Sender,
    sensors: ProducerSensors,
  ) {
    this.#context = context
    this.#options = options
    this.#sender = sender
    this.#sensors = sensors
    this.#buffer = new Budget('bufferMemory', options.bufferMemory)
    this.#batchLimit = Math.min(options.batchSize, options.maxRequestSize)
    this.#wakeup = new Wakeup(context, () => this.#onWakeup())
  }

  /** What the records take that are not yet acknowledged. */
  get usedBytes(): number {
    return this.#buffer.used
  }

  /** How many sends wait, for room or their turn. */
  get waitingCount(): number {
    return this.#backlog.length
  }

  /** The queues of a topic. */
  queuesOf(topic: string): TopicQueues {
    let queues = this.#topics.get(topic)
    if (queues === undefined) {
      queues = new TopicQueues(topic, new StickyPartition(this.#options.batchSize, this.#context.random))
      this.#topics.set(topic, queues)
    }
    return queues
  }

  /** Adds a record at once if there is room for it and nobody waits before it; false otherwise. */
  tryAdd(queues: TopicQueues, partitionCount: number, record: EncodedRecord, recipient: Recipient): boolean {
    if (this.#backlog.length > 0 || !this.#buffer.tryAcquire(record.sizeBytes)) return false
    this.#add(queues, partitionCount, record, recipient)
    return true
  }

  /** Takes `send`, which goes into batches as its turn comes and room is made. */
  take(send: PendingSend, signal: AbortSignal | undefined): void {
    const { clock } = this.#context
    const until = clock.monotonic() + MAX_SLICE_MS
    // At once, as far as it goes: the application may change its objects afterwards.
    const isEncoded = send.encode(clock, until)
    if (this.#backlog.length === 0) {
      const hindrance = isEncoded ? this.#advance(send, until) : 'time'
      if (hindrance === undefined) return
      this.#backlog.push(send)
      this.#waitFor(hindrance)
    } else this.#backlog.push(send)
    this.#expireLater(send)
    send.watch(signal, (reason) => this.#giveUp(send, reason))
  }

  /** The records of `batch` need no room any more. */
  release(batch: ProducerBatch): void {
    this.#buffer.release(batch.reservedBytes)
    if (this.#backlog.length > 0) this.#deferPump()
  }

  /** Resolves when no send waits any more. */
  async whenEmpty(): Promise<void> {
    if (this.#backlog.length === 0) return
    this.#empty ??= deferred<undefined>()
    await this.#empty.promise
  }

  /** Gives up whatever waits. */
  stop(error: OttlaError): void {
    this.#wakeup.cancel()
    for (const send of [...this.#backlog]) this.#giveUp(send, error)
  }

  /** Lets the sends that wait go on, each as far as it can. */
  #pump(): void {
    const { clock } = this.#context
    const until = clock.monotonic() + MAX_SLICE_MS
    for (let first = this.#backlog[0]; first !== undefined; first = this.#backlog[0]) {
      try {
        const hindrance = first.encode(clock, until) ? this.#advance(first, until) : 'time'
        if (hindrance !== undefined) {
          this.#waitFor(hindrance)
          return
        }
        this.#leave(first)
      } catch (error) {
        this.#giveUp(first, error)
      }
    }
  }

  /** Adds records of `send`, which is encoded, until all are added or something is missing. */
  #advance(send: PendingSend, until: number): Hindrance | undefined {
    const { encoded, queues, partitionCount, recipient } = send
    const { clock } = this.#context
    while (send.addedCount < encoded.length) {
      const record = encoded[send.addedCount]
      if (record === undefined) break
      if (!this.#buffer.tryAcquire(record.sizeBytes)) {
        this.#expireLater(send)
        return 'room'
      }
      this.#add(queues, partitionCount, record, recipient)
      send.addedCount++
      if (send.addedCount % RECORDS_PER_LOOK === 0 && !send.isAdded && clock.monotonic() >= until)
        return 'time'
    }
    return undefined
  }

  /** Adds a record, for which there is room, to the batch that its partition gathers. */
  #add(queues: TopicQueues, partitionCount: number, record: EncodedRecord, recipient: Recipient): void {
    const { key, value, headers, sizeBytes } = record
    const partition =
      record.partition === ANY_PARTITION ? queues.sticky.next(partitionCount, sizeBytes) : record.partition
    const queue = queues.of(partition)
    let batch = queue.gathering
    if (batch !== undefined && batch.sizeBytes + sizeBytes > this.#batchLimit) {
      queue.complete()
      this.#sender.ready(queue)
      batch = undefined
    }
    if (batch === undefined) {
      const now = this.#context.clock.monotonic()
      batch = new ProducerBatch(queue.topic, partition, now, queue.capacityBytes)
      queue.gather(batch)
      this.#sender.added(queue, batch)
    }
    batch.append(record.timestamp, key, value, headers, recipient)
    batch.reservedBytes += sizeBytes
  }

  #waitFor(hindrance: Hindrance): void {
    if (hindrance === 'time') {
      this.#endRoomWait()
      this.#deferPump()
      return
    }
    this.#roomWaitSince ??= this.#context.clock.monotonic()
    // Room is made by sending; nothing may linger while somebody waits for it.
    this.#sender.completeAll()
  }

  #endRoomWait(): void {
    const since = this.#roomWaitSince
    if (since === undefined) return
    this.#roomWaitSince = undefined
    this.#sensors.waitedForRoom(since, this.#context.clock.monotonic())
  }

  #deferPump(): void {
    if (this.#isPumpDeferred) return
    this.#isPumpDeferred = true
    this.#context.clock.defer(() => {
      this.#isPumpDeferred = false
      this.#pump()
    })
  }

  #expireLater(send: PendingSend): void {
    send.expiresAt = this.#context.clock.monotonic() + this.#options.maxBlockMs
    this.#wakeup.at(send.expiresAt, true)
  }

  #onWakeup(): void {
    const now = this.#context.clock.monotonic()
    for (const send of [...this.#backlog]) {
      if (send.expiresAt > now) this.#wakeup.at(send.expiresAt, true)
      else {
        this.#sensors.exhausted(now)
        this.#giveUp(send, this.#exhausted(send))
      }
    }
  }

  #exhausted({ addedCount, encoded }: PendingSend): OttlaError {
    const { maxBlockMs, bufferMemory } = this.#options
    const from = encoded.length > 1 ? ` Records from index ${addedCount} on are not sent.` : ''
    return new OttlaError(
      'BUFFER_EXHAUSTED',
      `There was no room in bufferMemory (${bufferMemory} bytes) within maxBlockMs (${maxBlockMs}).${from}`,
      { details: { bufferMemory, maxBlockMs, index: addedCount } },
    )
  }

  #giveUp(send: PendingSend, error: unknown): void {
    this.#leave(send)
    send.fail(error)
    // It may have been the one that the others waited for.
    if (this.#backlog.length > 0) this.#deferPump()
  }

  #leave(send: PendingSend): void {
    send.leave()
    const index = this.#backlog.indexOf(send)
    if (index === 0) this.#endRoomWait()
    if (index >= 0) this.#backlog.splice(index, 1)
    if (this.#backlog.length > 0) return
    this.#wakeup.cancel()
    this.#empty?.resolve(undefined)
    this.#empty = undefined
  }
}

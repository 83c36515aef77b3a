/**
 * Fetches ahead of the loops: one long poll under way per leader, for all partitions that have room. A partition that
 * holds enough, is paused or has no position is left out; so nothing grows without bound when nobody consumes.
 */
import type { fetch } from '../../protocol/api/fetch.js'
import { fetch as fetchApi } from '../../protocol/api/fetch.js'
import { errorOfPart } from '../../protocol/response-cause.js'
import type { ResponseOf } from '../../protocol/schema.js'
import { splitBatches } from '../../record/validate.js'
import { errorFromKafkaCode, OttlaError } from '../../runtime/errors/ottla-error.js'
import type { Leader } from '../cluster.js'
import type { ClientContext } from '../context.js'
import { Wakeup } from '../wakeup.js'
import { type Backoff, backoffMs, isStorageDown } from '../retry.js'
import type { ConsumerSensors, FetchedTopic } from './consumer-metrics.js'
import { describe, isNotThere } from './fetch-errors.js'
import { requestOf } from './fetch-request.js'
import type { IsolationLevel } from '../offset-lookup.js'
import type { PartitionState } from './partition-state.js'
import { visibleBatches } from './visible-batches.js'

/** How to fetch. */
export interface FetchOptions {
  readonly fetchMinBytes: number
  readonly fetchMaxWaitMs: number
  readonly fetchMaxBytes: number
  readonly maxPartitionFetchBytes: number
  readonly maxPrefetchBytes: number
  readonly isolationLevel: IsolationLevel
}

/** Whose partitions are fetched. */
export interface FetchHost {
  readonly states: ReadonlyMap<string, PartitionState>
  /** There may be something to hand out: records, or an error. */
  arrived(): void
  /** The position is not there (any more): `offset` is where the log was truncated to, when that is known. */
  outOfRange(state: PartitionState, error: OttlaError, offset?: number): void
  /** A request failed; it will be tried again. */
  stumbled(error: unknown): void
  /** Nothing can go on. */
  fail(error: unknown): void
  /** Whether a missing topic is an error; otherwise it is waited for, as a rebalance will take it away. */
  readonly needsTopics: boolean
}

/** A request under way to one leader. */
interface Flight {
  readonly leader: Leader
  /** By name, with the version of the state that was asked for. */
  readonly covered: Map<string, { readonly state: PartitionState; readonly version: number }>
  readonly reservedBytes: number
  /** When it was sent, on the monotonic clock. */
  readonly sentAt: number
}

const NO_BATCHES: readonly Uint8Array[] = []

type PartitionResponse = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]

/** Keeps the buffers of the partitions filled. */
export class Fetcher {
  readonly #context: ClientContext
  readonly #options: FetchOptions
  readonly #backoff: Backoff
  readonly #sensors: ConsumerSensors
  readonly #host: FetchHost
  readonly #flights = new Map<number, Flight>()
  /** By leader, until one is aborted: to make one for each request takes a good part of the time of a fetch in process. */
  readonly #controllers = new Map<number, AbortController>()
  readonly #wakeup: Wakeup
  readonly #stopping = new AbortController()
  #isRelaunchDue = false
  #isPumpDue = false
  #launchCount = 0

  constructor(
    context: ClientContext,
    options: FetchOptions,
    backoff: Backoff,
    sensors: ConsumerSensors,
    host: FetchHost,
  ) {
    this.#context = context
    this.#options = options
    this.#backoff = backoff
    this.#sensors = sensors
    this.#host = host
    this.#wakeup = new Wakeup(context, () => this.pump())
  }

  /** Starts the requests for which there is reason and room. */
  pump(): void {
    if (this.#stopping.signal.aborted) return
    let wanted: Map<number, { readonly leader: Leader; readonly states: PartitionState[] }> | undefined
    for (const state of this.#host.states.values()) {
      if (!this.#wants(state)) continue
      const leader = this.#context.cluster.knownLeader(state.topic, state.partition)
      if (leader === undefined) {
        this.#findLeader(state)
        continue
      }
      if (this.#flights.has(leader.nodeId)) continue
      wanted ??= new Map()
      const ofNode = wanted.get(leader.nodeId)
      if (ofNode === undefined) wanted.set(leader.nodeId, { leader, states: [state] })
      else ofNode.states.push(state)
    }
    if (wanted === undefined) return
    for (const { leader, states } of wanted.values()) this.#launch(leader, states)
  }

  /** A loop took messages of `state`, which may have made room. */
  relieved(state: PartitionState): void {
    if (!this.#isCovered(state) && this.#wants(state)) this.pump()
  }

  /**
   * A loop has nothing to do. A long poll that does not cover all partitions that have room would keep it waiting for
   * records that are there, so that one is given up for one that does.
   */
  starved(): void {
    if (this.#isRelaunchDue || !this.#hasUncovered()) return
    if (this.#flights.size === 0) {
      this.pump()
      return
    }
    this.#isRelaunchDue = true
    // A turn of the event loop tells requests that are being answered from those that wait.
    this.#context.clock.defer(() => {
      this.#isRelaunchDue = false
      if (this.#stopping.signal.aborted || this.#hasBuffered()) return
      for (const state of this.#host.states.values()) {
        if (this.#isCovered(state) || !this.#wants(state)) continue
        const leader = this.#context.cluster.knownLeader(state.topic, state.partition)
        if (leader !== undefined) this.#giveUp(leader.nodeId)
      }
      this.pump()
    })
  }

  /** Ends every request. */
  stop(reason: unknown): void {
    this.#stopping.abort(reason)
    this.#wakeup.cancel()
    for (const nodeId of [...this.#flights.keys()]) this.#giveUp(nodeId)
  }

  /** Tries `state` again after a while when that may help; otherwise it fails. */
  stumble(state: PartitionState, error: unknown): void {
    const { clock, random, cluster } = this.#context
    const isMissing = OttlaError.is(error, 'UNKNOWN_TOPIC_OR_PARTITION') && this.#host.needsTopics
    const isLasting = isMissing || isStorageDown(error, state.failedAttempts + 1)
    if (!OttlaError.is(error) || !error.retriable || isLasting) {
      state.fail(error)
      this.#host.arrived()
      return
    }
    cluster.invalidate(state.topic)
    const waitMs = backoffMs(this.#backoff, state.failedAttempts, random)
    state.retryAt = clock.monotonic() + waitMs
    this.#wakeup.at(state.retryAt, true)
    if (state.failedAttempts++ === 0) this.#host.stumbled(error)
  }

  #wants(state: PartitionState): boolean {
    return (
      state.fetchOffset >= 0 &&
      !state.isPaused &&
      !state.isSuspended &&
      state.failure === undefined &&
      !state.isFindingLeader &&
      state.buffer.sizeBytes < this.#options.maxPartitionFetchBytes &&
      (state.retryAt === 0 || state.retryAt <= this.#context.clock.monotonic())
    )
  }

  #isCovered(state: PartitionState): boolean {
    for (const { covered } of this.#flights.values()) {
      if (covered.get(state.name)?.version === state.version) return true
    }
    return false
  }

  #hasUncovered(): boolean {
    for (const state of this.#host.states.values()) {
      if (!this.#isCovered(state) && this.#wants(state)) return true
    }
    return false
  }

  #hasBuffered(): boolean {
    for (const state of this.#host.states.values()) if (!state.buffer.isEmpty && state.mayDeliver) return true
    return false
  }

  #findLeader(state: PartitionState): void {
    state.isFindingLeader = true
    const { signal } = this.#stopping
    this.#context.cluster.leader(state.topic, state.partition, { signal }).then(
      () => {
        state.isFindingLeader = false
        this.#pumpSoon()
      },
      (error: unknown) => {
        state.isFindingLeader = false
        if (!signal.aborted) this.stumble(state, error)
      },
    )
  }

  /** Leaders of many partitions are found one after another; those found together share a request. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    this.#context.clock.defer(() => {
      this.#isPumpDue = false
      this.pump()
    })
  }

  /** How many bytes may still come. */
  #roomBytes(): number {
    let room = this.#options.maxPrefetchBytes
    for (const { reservedBytes } of this.#flights.values()) room -= reservedBytes
    for (const { buffer } of this.#host.states.values()) room -= buffer.sizeBytes
    return room
  }

  /** What paused partitions hold would keep the others waiting for as long as the pause lasts. */
  #evictPaused(): void {
    for (const state of this.#host.states.values()) if (state.isPaused) state.dropBuffer()
  }

  #launch(leader: Leader, states: readonly PartitionState[]): void {
    const { fetchMaxBytes, maxPartitionFetchBytes } = this.#options
    let room = this.#roomBytes()
    if (room <= 0) {
      this.#evictPaused()
      room = this.#roomBytes()
      if (room <= 0) return
    }
    const maxBytes = Math.min(fetchMaxBytes, room, states.length * maxPartitionFetchBytes)
    const flight: Flight = {
      leader,
      covered: new Map(states.map((state) => [state.name, { state, version: state.version }])),
      reservedBytes: maxBytes,
      sentAt: this.#context.clock.monotonic(),
    }
    this.#flights.set(leader.nodeId, flight)
    // Whoever comes first gets the bytes when they do not suffice for all, so another one does each time.
    const first = this.#launchCount++ % states.length
    const order = first === 0 ? states : [...states.slice(first), ...states.slice(0, first)]
    const request = requestOf(this.#context.cluster, order, { ...this.#options, maxBytes })
    leader.channel.send(fetchApi, request, { signal: this.#controllerOf(leader).signal }).then(
      (response) => {
        try {
          this.#land(flight, response)
        } catch (error) {
          this.#host.fail(error)
        }
      },
      (error: unknown) => this.#crash(flight, error),
    )
  }

  #giveUp(nodeId: number): void {
    if (!this.#flights.delete(nodeId)) return
    this.#controllers.get(nodeId)?.abort()
    this.#controllers.delete(nodeId)
  }

  #controllerOf({ nodeId }: Leader): AbortController {
    let controller = this.#controllers.get(nodeId)
    if (controller === undefined) this.#controllers.set(nodeId, (controller = new AbortController()))
    return controller
  }

  #isOver(flight: Flight): boolean {
    if (this.#flights.get(flight.leader.nodeId) !== flight) return true
    this.#flights.delete(flight.leader.nodeId)
    return false
  }

  #crash(flight: Flight, error: unknown): void {
    if (this.#isOver(flight)) return
    for (const { state, version } of flight.covered.values()) {
      if (state.version === version) this.stumble(state, error)
    }
    this.pump()
  }

  #land(flight: Flight, response: ResponseOf<typeof fetch>): void {
    if (this.#isOver(flight)) return
    if (response.errorCode !== 0) {
      const error = errorFromKafkaCode(response.errorCode)
      for (const { state } of flight.covered.values()) this.stumble(state, error)
    }
    const fetched: FetchedTopic[] = []
    for (const { topic, topicId, partitions } of response.responses) {
      const batches: Uint8Array[] = []
      const name = topic === '' ? nameOf(flight, this.#context, topicId) : topic
      for (const partition of partitions) {
        const asked = flight.covered.get(`${name}-${partition.partitionIndex}`)
        // Moved, revoked or assigned anew meanwhile: what comes is of no use.
        if (asked === undefined || this.#host.states.get(asked.state.name) !== asked.state) continue
        if (asked.state.version === asked.version) batches.push(...this.#receive(asked.state, partition))
      }
      if (batches.length > 0) fetched.push({ name, batches })
    }
    this.#sensors.fetched(fetched, flight.sentAt, this.#context.clock.monotonic())
    // The next long poll is under way before a loop sees what this one brought.
    this.pump()
    this.#host.arrived()
  }

  /** The batches that came of a partition. */
  #receive(state: PartitionState, response: PartitionResponse): readonly Uint8Array[] {
    const { highWatermark, lastStableOffset, logStartOffset, divergingEpoch } = response
    if (response.errorCode !== 0) {
      const error = errorOfPart(response)
      if (error.code === 'OFFSET_OUT_OF_RANGE') this.#host.outOfRange(state, isNotThere(state, response))
      else this.stumble(state, describe(state, error))
      return NO_BATCHES
    }
    state.failedAttempts = 0
    state.retryAt = 0
    state.ends = { highWatermark, lastStableOffset, logStartOffset }
    if (divergingEpoch !== undefined && divergingEpoch.endOffset >= 0) {
      const what = `it was truncated to ${divergingEpoch.endOffset}, below the position ${state.fetchOffset}`
      const error = new OttlaError('OFFSET_OUT_OF_RANGE', `Partition ${state.name}: ${what}.`)
      this.#host.outOfRange(state, error, Math.min(divergingEpoch.endOffset, state.fetchOffset))
      return NO_BATCHES
    }
    const { records } = response
    if (records === null || records.length === 0) return NO_BATCHES
    try {
      const batches = splitBatches(records)
      const last = batches.at(-1)
      if (last !== undefined) state.receive(visibleBatches(batches, response.abortedTransactions), last)
      return batches
    } catch (error) {
      state.fail(OttlaError.is(error) ? describe(state, error) : error)
      return NO_BATCHES
    }
  }
}

/** New versions name topics by id alone. */
const nameOf = (flight: Flight, { cluster }: ClientContext, topicId: string): string => {
  for (const { state } of flight.covered.values()) {
    if (cluster.knownLeader(state.topic, state.partition)?.topicId === topicId) return state.topic
  }
  return ''
}

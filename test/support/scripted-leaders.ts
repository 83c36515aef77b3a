/** Leaders that are nothing but a script: fetches wait until the test answers them, offsets are what it says. */
import { fetch } from '../../src/protocol/api/fetch.js'
import { listOffsets } from '../../src/protocol/api/list-offsets.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import type { BrokerAddress, Channel, Network, SendOptions } from '../../src/protocol/channel.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../../src/protocol/schema.js'
import { encodeBatch, type BatchOptions } from '../../src/record/encode.js'
import { toUtf8 } from '../../src/runtime/bytes.js'

/** What a leader says of a partition. */
export interface FetchAnswer {
  readonly errorCode?: number
  readonly records?: readonly Uint8Array[]
  readonly highWatermark?: number
  readonly lastStableOffset?: number
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number }
  readonly abortedTransactions?: readonly { readonly producerId: number; readonly firstOffset: number }[]
}

/** A fetch that waits for its answer. */
export interface PendingFetch {
  readonly nodeId: number
  readonly request: RequestOf<typeof fetch>
  /** The offsets asked for, by partition, e.g. `orders-0`. */
  readonly offsets: Readonly<Record<string, number>>
  readonly isAborted: boolean
  /** Answers by partition; those left out have nothing new. */
  answer(answers: Readonly<Record<string, FetchAnswer>>): void
  fail(error: Error): void
}

/** A batch with these values from `baseOffset` on. */
export const batchAt = (
  baseOffset: number,
  values: readonly string[],
  options: BatchOptions = {},
): Uint8Array =>
  encodeBatch(
    values.map((value) => ({ timestamp: 1000 + baseOffset, key: null, value: toUtf8(value), headers: [] })),
    { baseOffset, leaderEpoch: 0, ...options },
  )

/** A network of leaders. */
export class ScriptedLeaders implements Network {
  /** The leader of each partition, by topic. */
  readonly leaders = new Map<string, number[]>()
  /** Start and end by partition name. */
  readonly offsets = new Map<string, { readonly start: number; readonly end: number }>()
  /** Kafka's error codes for the next ListOffsets requests. */
  readonly lookupErrors: number[] = []
  /** Every fetch that came, in order. */
  readonly fetches: PendingFetch[] = []
  /** The names of all requests, with the node. */
  readonly calls: string[] = []
  readonly #channels = new Map<number, Channel>()

  addTopic(name: string, leaders: number[] = [1]): void {
    this.leaders.set(name, leaders)
    leaders.forEach((_, partition) => this.offsets.set(`${name}-${partition}`, { start: 0, end: 100 }))
  }

  /** The fetches that wait now. */
  get waiting(): PendingFetch[] {
    return this.fetches.filter((pending) => !pending.isAborted && !this.#answered.has(pending))
  }

  readonly #answered = new Set<PendingFetch>()

  bootstrap(): Promise<Channel> {
    return this.to({ nodeId: 1, host: 'h', port: 1 })
  }

  async to({ nodeId }: BrokerAddress): Promise<Channel> {
    let channel = this.#channels.get(nodeId)
    if (channel === undefined) {
      channel = { send: (api, request, options) => this.#send(nodeId, api, request, options) }
      this.#channels.set(nodeId, channel)
    }
    return channel
  }

  async close(): Promise<void> {
    this.#channels.clear()
  }

  async #send<Q extends Fields, P extends Fields>(
    nodeId: number,
    api: Api<Q, P>,
    request: RequestOf<Api<Q, P>>,
    options?: SendOptions,
  ): Promise<ResponseOf<Api<Q, P>>> {
    this.calls.push(`${api.name}@${nodeId}`)
    return (await this.#answer(nodeId, api.name, request, options?.signal)) as ResponseOf<Api<Q, P>>
  }

  #answer(nodeId: number, name: string, request: unknown, signal: AbortSignal | undefined): unknown {
    if (name === metadata.name) return this.#metadata(request as RequestOf<typeof metadata>)
    if (name === listOffsets.name) return this.#listOffsets(request as RequestOf<typeof listOffsets>)
    if (name === fetch.name) return this.#fetch(nodeId, request as RequestOf<typeof fetch>, signal)
    throw new Error(`The script has no answer to ${name}.`)
  }

  #metadata({ topics }: RequestOf<typeof metadata>): unknown {
    return {
      brokers: [1, 2].map((nodeId) => ({ nodeId, host: 'h', port: nodeId, rack: null })),
      clusterId: 'scripted',
      controllerId: 1,
      topics: (topics ?? []).map(({ name }) => {
        const leaders = this.leaders.get(name ?? '')
        return {
          errorCode: leaders === undefined ? 3 : 0,
          name,
          topicId: `id-of-${name}`,
          isInternal: false,
          partitions: (leaders ?? []).map((leaderId, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId,
            leaderEpoch: 0,
            replicaNodes: [leaderId],
            isrNodes: [leaderId],
            offlineReplicas: [],
          })),
        }
      }),
    }
  }

  #listOffsets({ topics }: RequestOf<typeof listOffsets>): unknown {
    const errorCode = this.lookupErrors.shift() ?? 0
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const { start, end } = this.offsets.get(`${name}-${partitionIndex}`)!
          const offset =
            timestamp === -2 ? start : timestamp === -1 ? end : timestamp < 1000 + end ? timestamp - 1000 : -1
          return { partitionIndex, errorCode, offset, timestamp, leaderEpoch: 0 }
        }),
      })),
    }
  }

  #fetch(
    nodeId: number,
    request: RequestOf<typeof fetch>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const asked = request.topics.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, ...partition })),
    )
    return new Promise((resolve, reject) => {
      const isAborted = (): boolean => signal?.aborted === true
      const pending: PendingFetch = {
        nodeId,
        request,
        offsets: Object.fromEntries(
          asked.map(({ topic, partition, fetchOffset }) => [`${topic}-${partition}`, fetchOffset]),
        ),
        get isAborted() {
          return isAborted()
        },
        answer: (answers) => {
          this.#answered.add(pending)
          resolve({
            throttleTimeMs: 0,
            errorCode: 0,
            sessionId: 0,
            responses: asked.map(({ topic, partition }) => ({
              topic: '',
              topicId: `id-of-${topic}`,
              partitions: [
                {
                  partitionIndex: partition,
                  errorCode: 0,
                  highWatermark: 100,
                  lastStableOffset: 100,
                  logStartOffset: 0,
                  abortedTransactions: null,
                  preferredReadReplica: -1,
                  records: [],
                  ...answers[`${topic}-${partition}`],
                },
              ],
            })),
          })
        },
        fail: (error) => {
          this.#answered.add(pending)
          reject(error)
        },
      }
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      this.fetches.push(pending)
    })
  }
}

/** A cluster that is nothing but a script: a test decides what each node answers, and when. */
import { findCoordinator } from '../../src/protocol/api/find-coordinator.js'
import { initProducerId } from '../../src/protocol/api/init-producer-id.js'
import { metadata } from '../../src/protocol/api/metadata.js'
import { produce } from '../../src/protocol/api/produce.js'
import type { BrokerAddress, Channel, Network, SendOptions } from '../../src/protocol/channel.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../../src/protocol/schema.js'
import { readHeader, type BatchHeader } from '../../src/record/header.js'

/** A batch in a Produce request. */
export interface ProducedBatch extends BatchHeader {
  readonly topicId: string
  readonly partition: number
}

/** What a node says of a partition; Kafka's error code 0 stores the batch. */
export interface ProduceAnswer {
  readonly errorCode?: number
  readonly baseOffset?: number
  readonly logAppendTimeMs?: number
}

/** A Produce request that waits for its answer. */
export interface PendingProduce {
  readonly nodeId: number
  readonly request: RequestOf<typeof produce>
  readonly batches: readonly ProducedBatch[]
  /** Answers for every partition, or for each by its place in the request. */
  answer(...answers: readonly ProduceAnswer[]): void
  /** The connection is lost. */
  fail(error: Error): void
}

interface ScriptedTopic {
  readonly name: string
  readonly topicId: string
  /** The leader of each partition. */
  leaders: number[]
}

/** A network without brokers. */
export class ScriptedNetwork implements Network {
  readonly topics = new Map<string, ScriptedTopic>()
  /** Every Produce request that came, in order. */
  readonly produced: PendingProduce[] = []
  /** The names of all requests, in order, with the node that got them. */
  readonly calls: string[] = []
  /** Answers in place of the script, per API name; returning undefined lets the script answer. */
  readonly overrides = new Map<string, (nodeId: number, request: unknown, options?: SendOptions) => unknown>()
  /** Answers every Produce request at once if set. */
  autoAnswer: ((pending: PendingProduce) => void) | undefined
  readonly #nodeIds: readonly number[]
  readonly #channels = new Map<number, Channel>()
  #nextProducerId = 100

  constructor(nodeIds: readonly number[] = [1]) {
    this.#nodeIds = nodeIds
  }

  addTopic(name: string, leaders: number[] = [1]): string {
    const topicId = `topic-${name}`.padEnd(22, 'A')
    this.topics.set(name, { name, topicId, leaders })
    return topicId
  }

  bootstrap(): Promise<Channel> {
    return this.to({ nodeId: this.#nodeIds[0] ?? 1, host: 'h', port: 1 })
  }

  async to({ nodeId }: BrokerAddress): Promise<Channel> {
    let channel = this.#channels.get(nodeId)
    if (channel === undefined) {
      channel = {
        send: (api, request, options) => this.#send(nodeId, api, request, options),
      }
      this.#channels.set(nodeId, channel)
    }
    return channel
  }

  async close(): Promise<void> {
    this.#channels.clear()
  }

  /** How often an API was called. */
  countOf(api: string): number {
    return this.calls.filter((call) => call.startsWith(`${api}@`)).length
  }

  async #send<Q extends Fields, P extends Fields>(
    nodeId: number,
    api: Api<Q, P>,
    request: RequestOf<Api<Q, P>>,
    options?: SendOptions,
  ): Promise<ResponseOf<Api<Q, P>>> {
    this.calls.push(`${api.name}@${nodeId}`)
    const overridden = this.overrides.get(api.name)?.(nodeId, request, options)
    if (overridden instanceof Error) throw overridden
    const answer =
      overridden ??
      (api.name === produce.name
        ? await this.#produce(nodeId, request as unknown as RequestOf<typeof produce>)
        : this.#answer(api.name, request))
    return answer as ResponseOf<Api<Q, P>>
  }

  #answer(name: string, request: unknown): unknown {
    if (name === metadata.name) return this.#metadata(request as RequestOf<typeof metadata>)
    if (name === initProducerId.name)
      return { throttleTimeMs: 0, errorCode: 0, producerId: this.#nextProducerId++, producerEpoch: 0 }
    if (name === findCoordinator.name) {
      const { coordinatorKeys } = request as RequestOf<typeof findCoordinator>
      const found = { nodeId: 1, host: 'h', port: 1, errorCode: 0, errorMessage: null }
      return { coordinators: coordinatorKeys.map((key) => ({ key, ...found })) }
    }
    throw new Error(`The script has no answer to ${name}.`)
  }

  #metadata({ topics }: RequestOf<typeof metadata>): unknown {
    const asked = topics === null ? [...this.topics.keys()] : topics.map(({ name }) => name ?? '')
    return {
      throttleTimeMs: 0,
      brokers: this.#nodeIds.map((nodeId) => ({ nodeId, host: 'h', port: nodeId, rack: null })),
      clusterId: 'scripted',
      controllerId: this.#nodeIds[0] ?? 1,
      topics: asked.map((name) => {
        const topic = this.topics.get(name)
        return {
          errorCode: topic === undefined ? 3 : 0,
          name,
          topicId: topic?.topicId ?? '',
          isInternal: false,
          partitions: (topic?.leaders ?? []).map((leaderId, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId,
            leaderEpoch: 0,
            replicaNodes: [leaderId],
            isrNodes: [leaderId],
            offlineReplicas: [],
          })),
          topicAuthorizedOperations: 0,
        }
      }),
    }
  }

  #produce(nodeId: number, request: RequestOf<typeof produce>): Promise<ResponseOf<typeof produce>> {
    const batches = request.topicData.flatMap(({ topicId, partitionData }) =>
      partitionData.map(({ index, records }) => ({
        ...readHeader(records![0]!),
        topicId,
        partition: index,
      })),
    )
    return new Promise((resolve, reject) => {
      const pending: PendingProduce = {
        nodeId,
        request,
        batches,
        answer: (...answers) => {
          let place = 0
          resolve({
            throttleTimeMs: 0,
            responses: request.topicData.map(({ name, topicId, partitionData }) => ({
              name,
              topicId,
              partitionResponses: partitionData.map(({ index }) => {
                const answer = answers[place++] ?? answers[answers.length - 1] ?? {}
                const { errorCode = 0, baseOffset = errorCode === 0 ? 0 : -1, logAppendTimeMs = -1 } = answer
                return {
                  index,
                  errorCode,
                  baseOffset,
                  logAppendTimeMs,
                  logStartOffset: 0,
                  recordErrors: [],
                  errorMessage: null,
                }
              }),
            })),
          })
        },
        fail: reject,
      }
      this.produced.push(pending)
      this.autoAnswer?.(pending)
    })
  }
}

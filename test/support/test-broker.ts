/** A broker over memory storage with a clock in the test's hands, and the requests that most tests send it. */
import { Broker } from '../../src/broker/broker.js'
import type { GivenConfigs } from '../../src/broker/configs/broker-configs.js'
import type { RequestContext } from '../../src/broker/request-context.js'
import { createTopics } from '../../src/protocol/api/create-topics.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { produce } from '../../src/protocol/api/produce.js'
import type { Api, Fields, RequestOf, ResponseOf } from '../../src/protocol/schema.js'
import { encodeBatch, type BatchOptions } from '../../src/record/encode.js'
import { toUtf8 } from '../../src/runtime/bytes.js'
import type { LogStorage } from '../../src/storage/contract.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { ManualClock } from './manual-clock.js'

/** A broker with shorthands for its requests. */
export interface TestBroker {
  readonly broker: Broker
  readonly clock: ManualClock
  readonly storage: LogStorage
  readonly send: <Q extends Fields, P extends Fields>(
    api: Api<Q, P>,
    request: RequestOf<Api<Q, P>>,
    context?: Partial<RequestContext>,
  ) => Promise<ResponseOf<Api<Q, P>>>
  readonly createTopic: (
    name: string,
    partitions?: number,
    configs?: Record<string, string>,
  ) => Promise<string>
  readonly produce: (
    topicId: string,
    partition: number,
    values: readonly string[],
    options?: BatchOptions,
  ) => Promise<ResponseOf<typeof produce>['responses'][number]['partitionResponses'][number]>
  readonly fetch: (
    topicId: string,
    partition: number,
    offset: number,
    options?: {
      maxWaitMs?: number
      minBytes?: number
      maxBytes?: number
      partitionMaxBytes?: number
      leaderEpoch?: number
      signal?: AbortSignal
    },
  ) => Promise<ResponseOf<typeof fetch>['responses'][number]['partitions'][number]>
}

/** A batch of records without keys. */
export const batchOf = (values: readonly string[], timestamp: number, options?: BatchOptions): Uint8Array =>
  encodeBatch(
    values.map((value) => ({ timestamp, key: null, value: toUtf8(value), headers: [] })),
    options,
  )

/** Opens a broker; the same storage again opens what was there. */
export const openTestBroker = async (
  configs: GivenConfigs = {},
  storage: LogStorage = new MemoryStorage(),
  clock = new ManualClock(),
): Promise<TestBroker> => {
  const broker = await Broker.open({ storage, clock, configs })
  const send: TestBroker['send'] = (api, request, context = {}) =>
    broker.handle(api, request, {
      apiVersion: api.versions[1],
      clientId: 'test',
      clientHost: 'in-process',
      ...context,
    })
  return {
    broker,
    clock,
    storage,
    send,
    async createTopic(name, partitions = 1, given = {}) {
      const response = await send(createTopics, {
        topics: [
          {
            name,
            numPartitions: partitions,
            replicationFactor: 1,
            assignments: [],
            configs: Object.entries(given).map(([config, value]) => ({ name: config, value })),
          },
        ],
        timeoutMs: 1000,
        validateOnly: false,
      })
      const topic = response.topics[0]!
      if (topic.errorCode !== 0) throw new Error(`${topic.errorCode} ${topic.errorMessage}`)
      return topic.topicId
    },
    async produce(topicId, partition, values, options) {
      const response = await send(produce, {
        transactionalId: null,
        acks: -1,
        timeoutMs: 1000,
        topicData: [
          {
            name: '',
            topicId,
            partitionData: [{ index: partition, records: [batchOf(values, clock.now(), options)] }],
          },
        ],
      })
      return response.responses[0]!.partitionResponses[0]!
    },
    async fetch(topicId, partition, offset, options = {}) {
      const {
        maxWaitMs = 0,
        minBytes = 1,
        maxBytes = 1 << 20,
        partitionMaxBytes = 1 << 20,
        leaderEpoch = -1,
        signal,
      } = options
      const response = await send(
        fetch,
        {
          replicaId: -1,
          maxWaitMs,
          minBytes,
          maxBytes,
          isolationLevel: 0,
          sessionId: 0,
          sessionEpoch: -1,
          topics: [
            {
              topic: '',
              topicId,
              partitions: [
                {
                  partition,
                  currentLeaderEpoch: leaderEpoch,
                  fetchOffset: offset,
                  lastFetchedEpoch: -1,
                  logStartOffset: -1,
                  partitionMaxBytes,
                },
              ],
            },
          ],
          forgottenTopicsData: [],
          rackId: '',
        },
        signal === undefined ? {} : { signal },
      )
      return response.responses[0]!.partitions[0]!
    },
  }
}

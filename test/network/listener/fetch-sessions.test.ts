/** Fetch sessions over a socket: what comes back on the wire, on whichever connection, in every version that has them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Ottla } from '../../../src/index.js'
import type { Listener } from '../../../src/network/listener/listener.js'
import { fetch } from '../../../src/protocol/api/fetch.js'
import type { RequestOf } from '../../../src/protocol/schema.js'
import { ZERO_UUID } from '../../../src/runtime/uuid.js'
import { WireClient } from '../../support/wire-client.js'

const TOPIC_IDS_SINCE = 13

let ottla: Ottla
let listener: Listener
let topicId: string

beforeAll(async () => {
  ottla = await Ottla.open()
  topicId = (await ottla.createTopic('t', { partitions: 2 })).id
  listener = await ottla.listen()
})
afterAll(() => ottla.close())

const requestOf = (
  version: number,
  sessionId: number,
  sessionEpoch: number,
  partitions: readonly number[],
): RequestOf<typeof fetch> => ({
  replicaId: -1,
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: 1000,
  isolationLevel: 0,
  sessionId,
  sessionEpoch,
  topics:
    partitions.length === 0
      ? []
      : [
          {
            topic: version < TOPIC_IDS_SINCE ? 't' : '',
            topicId: version < TOPIC_IDS_SINCE ? ZERO_UUID : topicId,
            partitions: partitions.map((partition) => ({
              partition,
              currentLeaderEpoch: -1,
              fetchOffset: 0,
              lastFetchedEpoch: -1,
              logStartOffset: -1,
              partitionMaxBytes: 1000,
            })),
          },
        ],
  forgottenTopicsData: [],
  rackId: '',
})

describe('a fetch session', () => {
  const versions = Array.from({ length: fetch.versions[1] - 6 }, (_, index) => 7 + index)
  it.each(versions)(
    'goes on with what has news, on another connection too, in version %i',
    async (version) => {
      const [one, other] = [await WireClient.connect(listener.port), await WireClient.connect(listener.port)]
      try {
        const first = await one.call(fetch, version, requestOf(version, 0, 0, [0, 1]))
        expect(first.sessionId).toBeGreaterThan(0)
        expect(first.responses[0]!.partitions).toHaveLength(2)
        const { sessionId } = first
        const quiet = { errorCode: 0, sessionId, responses: [] }
        expect(await one.call(fetch, version, requestOf(version, sessionId, 1, []))).toMatchObject(quiet)
        expect(await other.call(fetch, version, requestOf(version, sessionId, 2, [1]))).toMatchObject(quiet)
      } finally {
        one.close()
        other.close()
      }
    },
  )

  it('is not there before version 7', async () => {
    const client = await WireClient.connect(listener.port)
    const answer = await client.call(fetch, 6, requestOf(6, 0, 0, [0]))
    expect(answer.responses[0]!.partitions).toHaveLength(1)
    expect(answer.sessionId).toBe(0)
    client.close()
  })
})

/**
 * Fetch sessions (KIP-227). Expectations are those of Kafka's FetchSessionCache; the property holds a session against
 * fetches without one.
 */
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  FETCH_SESSION_EVICTION_MS,
  FetchSessions,
  MAX_FETCH_SESSION_PARTITIONS,
  MAX_FETCH_SESSIONS,
  type SessionFetch,
} from '../../src/broker/fetch-sessions.js'
import { deleteRecords } from '../../src/protocol/api/delete-records.js'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import type { RequestOf, ResponseOf } from '../../src/protocol/schema.js'
import { systemRandom } from '../../src/runtime/random.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import { ManualClock } from '../support/manual-clock.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'

const OFFSET_OUT_OF_RANGE = 1
const UNKNOWN_TOPIC_OR_PARTITION = 3
const FETCH_SESSION_ID_NOT_FOUND = 70
const INVALID_FETCH_SESSION_EPOCH = 71
const UNKNOWN_TOPIC_ID = 100
const FETCH_SESSION_TOPIC_ID_ERROR = 106

type Request = RequestOf<typeof fetch>
type Response = ResponseOf<typeof fetch>
type Wanted = Readonly<Record<number, number>>

const partitionsOf = (wanted: Wanted): Request['topics'][number]['partitions'] =>
  Object.entries(wanted).map(([partition, fetchOffset]) => ({
    partition: Number(partition),
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1 << 20,
  }))

/** A fetch of `wanted`, partition to offset, of one topic; by name where `topic` is no id. */
const requestOf = (
  topic: string,
  sessionId: number,
  sessionEpoch: number,
  wanted: Wanted,
  forgotten: readonly number[] = [],
): Request => {
  const isName = topic.length < 20
  const named = { topic: isName ? topic : '', topicId: isName ? ZERO_UUID : topic }
  return {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    isolationLevel: 0,
    sessionId,
    sessionEpoch,
    topics: Object.keys(wanted).length === 0 ? [] : [{ ...named, partitions: partitionsOf(wanted) }],
    forgottenTopicsData: forgotten.length === 0 ? [] : [{ ...named, partitions: forgotten }],
    rackId: '',
  }
}

/** A fetch as a listener hands it on. */
const fetchAs = (
  { send }: TestBroker,
  request: Request,
  context: { apiVersion?: number; clientHost?: string; signal?: AbortSignal } = {},
): Promise<Response> => send(fetch, request, { clientHost: '/127.0.0.1', ...context })

const toldOf = ({ responses }: Response): number[] =>
  responses.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex))

describe('a session', () => {
  it('begins with a full fetch, and tells only of partitions with news from then on', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders', 3)
    await test.produce(topic, 0, ['a'])
    const first = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0, 1: 0, 2: 0 }))
    expect(first.sessionId).toBeGreaterThan(0)
    expect(toldOf(first)).toEqual([0, 1, 2])
    const { sessionId } = first

    expect(await fetchAs(test, requestOf(topic, sessionId, 1, { 0: 1 }))).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      sessionId,
      responses: [],
    })
    await test.produce(topic, 1, ['b'])
    const second = await fetchAs(test, requestOf(topic, sessionId, 2, {}))
    expect(toldOf(second)).toEqual([1])
    expect(second.responses[0]!.partitions[0]).toMatchObject({ highWatermark: 1, logStartOffset: 0 })
    // It asks from offset 0 still, as long as it is told nothing else.
    expect(toldOf(await fetchAs(test, requestOf(topic, sessionId, 3, {})))).toEqual([1])
    expect(toldOf(await fetchAs(test, requestOf(topic, sessionId, 4, { 1: 1 })))).toEqual([])
    await test.broker.close()
  })

  it('tells of a log start offset that has moved, and forgets partitions and takes up others', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders', 3)
    await test.produce(topic, 0, ['a', 'b'])
    const { sessionId } = await fetchAs(test, requestOf(topic, 0, 0, { 0: 2, 1: 0 }))
    await test.send(deleteRecords, {
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 1 }] }],
      timeoutMs: 1000,
    })
    const moved = await fetchAs(test, requestOf(topic, sessionId, 1, {}))
    expect(toldOf(moved)).toEqual([0])
    expect(moved.responses[0]!.partitions[0]).toMatchObject({ logStartOffset: 1 })
    expect(toldOf(await fetchAs(test, requestOf(topic, sessionId, 2, {})))).toEqual([])

    await test.produce(topic, 1, ['c'])
    await test.produce(topic, 2, ['d'])
    expect(toldOf(await fetchAs(test, requestOf(topic, sessionId, 3, { 2: 0 }, [1])))).toEqual([2])
    await test.broker.close()
  })

  it('tells of an error every time, and of the partition again when it is over', async () => {
    const test = await openTestBroker()
    const context = { apiVersion: 12 }
    const { sessionId } = await fetchAs(test, requestOf('orders', 0, 0, { 0: 0 }), context)
    for (const epoch of [1, 2]) {
      const answer = await fetchAs(test, requestOf('orders', sessionId, epoch, {}), context)
      expect(answer.responses[0]!.partitions[0]).toMatchObject({ errorCode: UNKNOWN_TOPIC_OR_PARTITION })
    }
    await test.createTopic('orders')
    const over = await fetchAs(test, requestOf('orders', sessionId, 3, {}), context)
    expect(over.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0 })
    expect(toldOf(await fetchAs(test, requestOf('orders', sessionId, 4, {}), context))).toEqual([])
    await test.broker.close()
  })

  it('tells of a partition again after an error, though nothing of it has moved', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { sessionId } = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0 }))
    const error = await fetchAs(test, requestOf(topic, sessionId, 1, { 0: 99 }))
    expect(error.responses[0]!.partitions[0]).toMatchObject({ errorCode: OFFSET_OUT_OF_RANGE })
    const over = await fetchAs(test, requestOf(topic, sessionId, 2, { 0: 0 }))
    expect(over.responses[0]!.partitions[0]).toMatchObject({ errorCode: 0, highWatermark: 0 })
    expect(toldOf(await fetchAs(test, requestOf(topic, sessionId, 3, {})))).toEqual([])
    await test.broker.close()
  })

  it('tells that a topic was deleted, by its id', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { sessionId } = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0 }))
    await test.send(deleteTopics, {
      topics: [{ name: 'orders', topicId: ZERO_UUID }],
      topicNames: [],
      timeoutMs: 1,
    })
    await test.createTopic('orders')
    const { responses } = await fetchAs(test, requestOf(topic, sessionId, 1, {}))
    expect(responses[0]!.partitions[0]).toMatchObject({ errorCode: UNKNOWN_TOPIC_ID })
    await test.broker.close()
  })

  it('waits for a partition that the request does not name', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders', 2)
    const { sessionId } = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0, 1: 0 }))
    const waiting = fetchAs(test, { ...requestOf(topic, sessionId, 1, {}), maxWaitMs: 60_000 })
    await test.produce(topic, 1, ['a'])
    expect(toldOf(await waiting)).toEqual([1])
    await test.broker.close()
  })

  it('puts the partition that had records behind the others', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders', 3)
    for (const partition of [0, 1, 2]) await test.produce(topic, partition, ['a'])
    const oneBatch = { maxBytes: 1 }
    const served: number[][] = []
    const first = await fetchAs(test, { ...requestOf(topic, 0, 0, { 0: 0, 1: 0, 2: 0 }), ...oneBatch })
    for (let epoch = 1; epoch <= 4; epoch++) {
      const request = { ...requestOf(topic, first.sessionId, epoch, {}), ...oneBatch }
      const { responses } = await fetchAs(test, request)
      const full = responses
        .flatMap(({ partitions }) => partitions)
        .filter(({ records }) => records!.length > 0)
      served.push(full.map(({ partitionIndex }) => partitionIndex))
    }
    expect(served).toEqual([[0], [1], [2], [0]])
    await test.broker.close()
  })

  it('ends when its client says so, begins another one, or has no partition left', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const begin = async (id = 0): Promise<number> =>
      (await fetchAs(test, requestOf(topic, id, 0, { 0: 0 }))).sessionId
    const errorAt = async (id: number, epoch: number): Promise<number> =>
      (await fetchAs(test, requestOf(topic, id, epoch, {}))).errorCode

    const one = await begin()
    expect(await fetchAs(test, requestOf(topic, one, -1, { 0: 0 }))).toMatchObject({
      errorCode: 0,
      sessionId: 0,
    })
    expect(await errorAt(one, 1)).toBe(FETCH_SESSION_ID_NOT_FOUND)

    const two = await begin()
    const three = await begin(two)
    expect(three).not.toBe(two)
    expect(await errorAt(two, 1)).toBe(FETCH_SESSION_ID_NOT_FOUND)

    expect(await fetchAs(test, requestOf(topic, three, 1, {}, [0]))).toMatchObject({
      errorCode: 0,
      sessionId: 0,
    })
    expect(await errorAt(three, 2)).toBe(FETCH_SESSION_ID_NOT_FOUND)
    await test.broker.close()
  })

  it('refuses another epoch than the next, and names where it had ids; it goes on all the same', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { sessionId } = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0 }))
    const refused = (errorCode: number): object => ({ errorCode, sessionId: 0, responses: [] })
    expect(await fetchAs(test, requestOf(topic, sessionId, 2, {}))).toMatchObject(
      refused(INVALID_FETCH_SESSION_EPOCH),
    )
    expect(await fetchAs(test, requestOf('orders', sessionId, 1, {}), { apiVersion: 12 })).toMatchObject(
      refused(FETCH_SESSION_TOPIC_ID_ERROR),
    )
    expect(await fetchAs(test, requestOf(topic, sessionId, 1, {}))).toMatchObject({ errorCode: 0, sessionId })
    await test.broker.close()
  })

  it('gives a fetch up that waits when the next one of it comes', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const { sessionId } = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0 }))
    const waiting = fetchAs(test, { ...requestOf(topic, sessionId, 1, {}), maxWaitMs: 60_000 })
    await new Promise(setImmediate)
    const next = fetchAs(test, { ...requestOf(topic, sessionId, 2, {}), maxWaitMs: 60_000 })
    await new Promise(setImmediate)
    await test.produce(topic, 0, ['a'])
    expect(await waiting).toMatchObject({ errorCode: INVALID_FETCH_SESSION_EPOCH, sessionId, responses: [] })
    expect(toldOf(await next)).toEqual([0])
    await test.broker.close()
  })

  it('is for clients on a listener alone', async () => {
    const test = await openTestBroker()
    const topic = await test.createTopic('orders')
    const inProcess = await fetchAs(test, requestOf(topic, 0, 0, { 0: 0 }), { clientHost: 'in-process' })
    expect(inProcess).toMatchObject({ errorCode: 0, sessionId: 0 })
    await test.broker.close()
  })

  const actions = fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('produce'), partition: fc.nat(3) }),
      fc.record({ do: fc.constant('trim'), partition: fc.nat(3) }),
      fc.record({ do: fc.constant('take'), partition: fc.nat(3) }),
      fc.record({ do: fc.constant('drop'), partition: fc.nat(3) }),
      fc.record({ do: fc.constant('fetch'), partition: fc.constant(0) }),
    ),
    { maxLength: 30 },
  )
  property.prop([actions], { numRuns: 100 })(
    'tells a client that keeps account what fetches without a session tell',
    async (steps) => {
      const test = await openTestBroker()
      const topic = await test.createTopic('orders', 4)
      const offsets = new Map([[0, 0]])
      const known = new Map<number, unknown>()
      const ends = [0, 0, 0, 0]
      let changed: Record<number, number> = { 0: 0 }
      let forgotten: number[] = []
      let session = 0
      let epoch = 0
      const viewOf = (partition: Response['responses'][number]['partitions'][number]): unknown => {
        const { errorCode, highWatermark, lastStableOffset, logStartOffset } = partition
        return { errorCode, highWatermark, lastStableOffset, logStartOffset }
      }
      for (const { do: action, partition } of [...steps, { do: 'fetch', partition: 0 }]) {
        if (action === 'produce') {
          await test.produce(topic, partition, ['x'])
          ends[partition]!++
        } else if (action === 'trim') {
          const topics = [
            { name: 'orders', partitions: [{ partitionIndex: partition, offset: ends[partition]! }] },
          ]
          await test.send(deleteRecords, { topics, timeoutMs: 1000 })
        } else if (action === 'take') {
          offsets.set(partition, ends[partition]!)
          changed[partition] = ends[partition]!
          forgotten = forgotten.filter((each) => each !== partition)
        } else if (action === 'drop' && offsets.size > 1 && offsets.delete(partition)) {
          changed = Object.fromEntries(Object.entries(changed).filter(([each]) => Number(each) !== partition))
          forgotten.push(partition)
        } else if (action === 'fetch') {
          const wanted = session === 0 ? Object.fromEntries(offsets) : changed
          const answer = await fetchAs(
            test,
            requestOf(topic, session, epoch, wanted, session === 0 ? [] : forgotten),
          )
          expect(answer.errorCode).toBe(0)
          session = answer.sessionId
          epoch++
          for (const each of forgotten) known.delete(each)
          changed = {}
          forgotten = []
          const alone = await fetchAs(test, requestOf(topic, 0, -1, Object.fromEntries(offsets)))
          const expected = new Map(alone.responses[0]!.partitions.map((each) => [each.partitionIndex, each]))
          const told = answer.responses.flatMap((each) => each.partitions)
          for (const each of told) known.set(each.partitionIndex, viewOf(each))
          for (const [index, each] of expected) {
            expect(known.get(index)).toEqual(viewOf(each))
            const records = told.find(({ partitionIndex }) => partitionIndex === index)?.records ?? []
            expect(records).toEqual(each.records)
            if (each.records!.length === 0) continue
            offsets.set(index, each.highWatermark)
            changed[index] = each.highWatermark
          }
        }
      }
      await test.broker.close()
    },
  )
})

describe('the sessions of a broker', () => {
  const world = () => {
    const clock = new ManualClock()
    const sessions = new FetchSessions(clock, systemRandom)
    /** A session of `size` partitions; 0 when there is none to be had. */
    const begin = (size: number): number => {
      const wanted = Object.fromEntries(Array.from({ length: size }, (_, index) => [index, 0]))
      const fetching = sessions.begin(requestOf('t', 0, 0, wanted), false)
      return (fetching as SessionFetch).answer([]).sessionId
    }
    const isThere = (id: number, epoch: number): boolean =>
      typeof sessions.begin(requestOf('t', id, epoch, {}), false) !== 'string'
    return { clock, sessions, begin, isThere }
  }

  it('are at most so many; a stale one makes room, the one that was not used for longest', () => {
    const { clock, sessions, begin, isThere } = world()
    const ids = Array.from({ length: MAX_FETCH_SESSIONS }, () => begin(1))
    expect(new Set(ids).size).toBe(MAX_FETCH_SESSIONS)
    expect(begin(1)).toBe(0)
    clock.advance(FETCH_SESSION_EVICTION_MS)
    expect(begin(1)).toBe(0)
    expect(isThere(ids[0]!, 1)).toBe(true)
    clock.advance(1)
    expect(begin(1)).toBeGreaterThan(0)
    expect(sessions.size).toBe(MAX_FETCH_SESSIONS)
    expect([isThere(ids[0]!, 2), isThere(ids[1]!, 1), isThere(ids[2]!, 1)]).toEqual([true, false, true])
  })

  it('give way to larger ones when they are old, the smallest first', () => {
    const { clock, begin, isThere } = world()
    const ids = Array.from({ length: MAX_FETCH_SESSIONS }, (_, index) => begin(index === 5 ? 1 : 2))
    for (const epoch of [1, 2]) {
      clock.advance(FETCH_SESSION_EVICTION_MS / 2 + 1)
      for (const id of ids) expect(isThere(id, epoch)).toBe(true)
    }
    expect(begin(1)).toBe(0)
    expect(begin(2)).toBeGreaterThan(0)
    expect([isThere(ids[5]!, 3), isThere(ids[4]!, 3)]).toEqual([false, true])
    expect(begin(2)).toBe(0)
  })

  it('have at most so many partitions together', () => {
    const { sessions, begin } = world()
    const half = MAX_FETCH_SESSION_PARTITIONS / 2
    const one = begin(half)
    expect(begin(half)).toBeGreaterThan(0)
    expect(begin(1)).toBe(0)
    expect(sessions.partitionCount).toBe(MAX_FETCH_SESSION_PARTITIONS)
    expect(sessions.begin(requestOf('t', one, 1, { [half]: 0 }), false)).toBe('FETCH_SESSION_ID_NOT_FOUND')
    expect(sessions.partitionCount).toBe(half)
    expect(sessions.size).toBe(1)
  })
})

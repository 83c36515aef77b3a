/** Produce, Fetch and ListOffsets against one partition. Error numbers are those of Kafka's Errors.java. */
import { describe, expect, it } from 'vitest'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { fetch } from '../../src/protocol/api/fetch.js'
import { listOffsets } from '../../src/protocol/api/list-offsets.js'
import { produce } from '../../src/protocol/api/produce.js'
import { openBatch } from '../../src/record/decode.js'
import { readUtf8 } from '../../src/runtime/bytes.js'
import { ZERO_UUID } from '../../src/runtime/uuid.js'
import { batchOf, openTestBroker } from '../support/test-broker.js'

const OFFSET_OUT_OF_RANGE = 1
const UNKNOWN_TOPIC_OR_PARTITION = 3
const MESSAGE_TOO_LARGE = 10
const INVALID_TOPIC_EXCEPTION = 17
const INVALID_REQUIRED_ACKS = 21
const UNSUPPORTED_VERSION = 35
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED = 53
const FETCH_SESSION_ID_NOT_FOUND = 70
const UNKNOWN_LEADER_EPOCH = 75
const INVALID_RECORD = 87
const UNKNOWN_TOPIC_ID = 100

const valuesOf = async (records: readonly Uint8Array[] | null): Promise<string[]> => {
  const values: string[] = []
  for (const batch of records ?? []) {
    const cursor = await openBatch(batch)
    while (cursor.next()) values.push(readUtf8(cursor.value!, 0, cursor.value!.length))
  }
  return values
}

describe('produce and fetch', () => {
  it('gives offsets in the order of the calls and returns what was written', async () => {
    const { broker, createTopic, produce: send, fetch: read } = await openTestBroker()
    const topic = await createTopic('orders')
    const answers = await Promise.all([
      send(topic, 0, ['a', 'b']),
      send(topic, 0, ['c']),
      send(topic, 0, ['d']),
    ])
    expect(answers.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [0, 0],
      [0, 2],
      [0, 3],
    ])
    expect(answers[0]).toMatchObject({
      logAppendTimeMs: -1,
      logStartOffset: 0,
      recordErrors: [],
      errorMessage: null,
    })
    const answer = await read(topic, 0, 0)
    expect(answer).toMatchObject({
      errorCode: 0,
      highWatermark: 4,
      lastStableOffset: 4,
      logStartOffset: 0,
      preferredReadReplica: -1,
    })
    expect(await valuesOf(answer.records)).toEqual(['a', 'b', 'c', 'd'])
    await broker.close()
  })

  it('returns the whole batch around an offset inside it', async () => {
    const { broker, createTopic, produce: send, fetch: read } = await openTestBroker()
    const topic = await createTopic('orders')
    await send(topic, 0, ['a', 'b', 'c'])
    expect(await valuesOf((await read(topic, 0, 1)).records)).toEqual(['a', 'b', 'c'])
    await broker.close()
  })

  it('returns one batch even above the limits, and then stops', async () => {
    const { broker, createTopic, produce: send, fetch: read } = await openTestBroker()
    const topic = await createTopic('orders')
    await send(topic, 0, ['a'.repeat(1000)])
    await send(topic, 0, ['b'.repeat(1000)])
    expect((await read(topic, 0, 0, { maxBytes: 1, partitionMaxBytes: 1 })).records).toHaveLength(1)
    await broker.close()
  })

  it('answers an empty fetch with no records rather than null', async () => {
    const { broker, createTopic, fetch: read } = await openTestBroker()
    expect((await read(await createTopic('orders'), 0, 0)).records).toEqual([])
    await broker.close()
  })

  it('fills the offsets of an answer that says OFFSET_OUT_OF_RANGE', async () => {
    const { broker, createTopic, produce: send, fetch: read } = await openTestBroker()
    const topic = await createTopic('orders')
    await send(topic, 0, ['a', 'b'])
    expect(await read(topic, 0, 3)).toMatchObject({
      errorCode: OFFSET_OUT_OF_RANGE,
      highWatermark: 2,
      lastStableOffset: 2,
      logStartOffset: 0,
      records: [],
    })
    await broker.close()
  })

  it('refuses the leader epoch of a leader that never was', async () => {
    const { broker, createTopic, fetch: read } = await openTestBroker()
    expect((await read(await createTopic('orders'), 0, 0, { leaderEpoch: 7 })).errorCode).toBe(
      UNKNOWN_LEADER_EPOCH,
    )
    await broker.close()
  })

  it('tells topics and partitions that do not exist', async () => {
    const { broker, createTopic, produce: send, fetch: read } = await openTestBroker()
    const topic = await createTopic('orders')
    const other = 'MkU3OEVBNTcwNTJENDM2Qg'
    expect((await send(other, 0, ['a'])).errorCode).toBe(UNKNOWN_TOPIC_ID)
    expect((await send(topic, 9, ['a'])).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    expect((await read(other, 0, 0)).errorCode).toBe(UNKNOWN_TOPIC_ID)
    expect((await read(topic, 9, 0)).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    await broker.close()
  })

  it('names topics by name in the versions before ids', async () => {
    const { broker, send, createTopic, clock } = await openTestBroker()
    await createTopic('orders')
    const request = {
      transactionalId: null,
      acks: 1,
      timeoutMs: 1,
      topicData: [
        {
          name: 'orders',
          topicId: ZERO_UUID,
          partitionData: [{ index: 0, records: [batchOf(['a'], clock.now())] }],
        },
      ],
    }
    const answer = await send(produce, request, { apiVersion: 12 })
    expect(answer.responses[0]!.name).toBe('orders')
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({
      index: 0,
      errorCode: 0,
      baseOffset: 0,
    })
    await broker.close()
  })

  it.each([
    ['acks that Kafka does not know', { acks: 2, transactionalId: null }, 1, INVALID_REQUIRED_ACKS],
    ['two batches for one partition', { acks: -1, transactionalId: null }, 2, INVALID_RECORD],
    ['no batch', { acks: -1, transactionalId: null }, 0, INVALID_RECORD],
  ])('refuses %s', async (_what, options, batches, errorCode) => {
    const { broker, send, createTopic, clock, fetch: read } = await openTestBroker()
    const topicId = await createTopic('orders')
    const records = Array.from({ length: batches }, () => batchOf(['a'], clock.now()))
    const answer = await send(produce, {
      ...options,
      timeoutMs: 1,
      topicData: [{ name: '', topicId, partitionData: [{ index: 0, records }] }],
    })
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({
      errorCode,
      baseOffset: -1,
      errorMessage: expect.any(String),
    })
    expect((await read(topicId, 0, 0)).highWatermark).toBe(0)
    await broker.close()
  })

  it('refuses a transactional batch without a transactional id, and all that comes with it', async () => {
    const { broker, send, createTopic, clock, fetch: read } = await openTestBroker()
    const topicId = await createTopic('orders', 2)
    const ofNobody = batchOf(['a'], clock.now(), {
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      isTransactional: true,
    })
    const answer = await send(produce, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1,
      topicData: [
        {
          name: '',
          topicId,
          partitionData: [
            { index: 0, records: [batchOf(['plain'], clock.now())] },
            { index: 1, records: [ofNobody] },
          ],
        },
      ],
    })
    const codes = answer.responses[0]!.partitionResponses.map(({ errorCode }) => errorCode)
    expect(codes).toEqual([TRANSACTIONAL_ID_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_AUTHORIZATION_FAILED])
    expect((await read(topicId, 0, 0)).highWatermark).toBe(0)
    expect((await read(topicId, 1, 0)).highWatermark).toBe(0)
    await broker.close()
  })

  it('refuses a batch over max.message.bytes, and writing to an internal topic', async () => {
    const { broker, createTopic, produce: send } = await openTestBroker()
    const topic = await createTopic('orders', 1, { 'max.message.bytes': '100' })
    expect((await send(topic, 0, ['a'.repeat(200)])).errorCode).toBe(MESSAGE_TOO_LARGE)
    const internal = await createTopic('__consumer_offsets')
    expect((await send(internal, 0, ['a'])).errorCode).toBe(INVALID_TOPIC_EXCEPTION)
    await broker.close()
  })

  it('answers acks 0 at once and stores all the same', async () => {
    const { broker, send, createTopic, clock, fetch: read } = await openTestBroker()
    const topicId = await createTopic('orders')
    const answer = await send(produce, {
      transactionalId: null,
      acks: 0,
      timeoutMs: 1,
      topicData: [
        { name: '', topicId, partitionData: [{ index: 0, records: [batchOf(['a'], clock.now())] }] },
      ],
    })
    expect(answer.responses[0]!.partitionResponses[0]).toMatchObject({
      index: 0,
      errorCode: 0,
      baseOffset: -1,
    })
    const waiting = read(topicId, 0, 0, { maxWaitMs: 1000 })
    expect(await valuesOf((await waiting).records)).toEqual(['a'])
    await broker.close()
  })

  it('refuses a fetch session it never gave, by id and epoch', async () => {
    const { broker, send } = await openTestBroker()
    const request = {
      replicaId: -1,
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1,
      isolationLevel: 0,
      sessionId: 5,
      sessionEpoch: 1,
      topics: [],
      forgottenTopicsData: [],
      rackId: '',
    }
    expect((await send(fetch, request)).errorCode).toBe(FETCH_SESSION_ID_NOT_FOUND)
    expect(await send(fetch, { ...request, sessionId: 0, sessionEpoch: 0 })).toMatchObject({
      errorCode: 0,
      sessionId: 0,
    })
    await broker.close()
  })
})

describe('long polls', () => {
  it('wakes when a batch arrives', async () => {
    const { broker, createTopic, produce: send, fetch: read } = await openTestBroker()
    const topic = await createTopic('orders')
    const waiting = read(topic, 0, 0, { maxWaitMs: 60_000 })
    await send(topic, 0, ['a'])
    expect(await valuesOf((await waiting).records)).toEqual(['a'])
    await broker.close()
  })

  it('waits for minBytes, and ends at maxWaitMs with what is there', async () => {
    const { broker, createTopic, produce: send, fetch: read, clock } = await openTestBroker()
    const topic = await createTopic('orders')
    let isDone = false
    const waiting = read(topic, 0, 0, { maxWaitMs: 500, minBytes: 10_000 }).then((answer) => {
      isDone = true
      return answer
    })
    await send(topic, 0, ['a'])
    await send(topic, 0, ['b'])
    await new Promise(setImmediate)
    expect(isDone).toBe(false)
    await clock.advanceAsync(499)
    expect(isDone).toBe(false)
    await clock.advanceAsync(1)
    expect(await valuesOf((await waiting).records)).toEqual(['a', 'b'])
    let isEnough = false
    const partly = read(topic, 0, 0, { maxWaitMs: 500, minBytes: 10_000 }).then(() => (isEnough = true))
    await new Promise(setImmediate)
    expect(isEnough).toBe(false)
    await clock.advanceAsync(500)
    await partly
    const enough = read(topic, 0, 2, { maxWaitMs: 60_000, minBytes: 1000 })
    await send(topic, 0, ['c'.repeat(600)])
    await send(topic, 0, ['d'.repeat(600)])
    expect((await enough).records).toHaveLength(2)
    await broker.close()
  })

  it('wakes when its topic is deleted, when the client gives up, and when the broker closes', async () => {
    const { broker, send, createTopic, fetch: read } = await openTestBroker()
    const gone = await createTopic('gone')
    const topic = await createTopic('orders')
    const deleted = read(gone, 0, 0, { maxWaitMs: 60_000 })
    await new Promise(setImmediate)
    await send(deleteTopics, { topics: [{ name: 'gone', topicId: ZERO_UUID }], topicNames: [], timeoutMs: 1 })
    expect((await deleted).errorCode).toBe(UNKNOWN_TOPIC_OR_PARTITION)
    const abort = new AbortController()
    const aborted = read(topic, 0, 0, { maxWaitMs: 60_000, signal: abort.signal })
    await new Promise(setImmediate)
    abort.abort()
    expect((await aborted).records).toEqual([])
    const closing = read(topic, 0, 0, { maxWaitMs: 60_000 })
    await new Promise(setImmediate)
    await broker.close()
    expect((await closing).records).toEqual([])
  })
})

describe('list offsets', () => {
  it('finds the earliest, the latest, the one of the largest timestamp, and the first at or after a time', async () => {
    const { broker, send, createTopic, produce: write, clock } = await openTestBroker()
    const topic = await createTopic('orders')
    const start = clock.now()
    for (const value of ['a', 'b', 'c']) {
      await write(topic, 0, [value])
      await clock.advanceAsync(1000)
    }
    const find = async (timestamp: number, partitionIndex = 0) => {
      const answer = await send(listOffsets, {
        replicaId: -1,
        isolationLevel: 0,
        timeoutMs: 0,
        topics: [{ name: 'orders', partitions: [{ partitionIndex, currentLeaderEpoch: -1, timestamp }] }],
      })
      const { errorCode, offset, timestamp: found } = answer.topics[0]!.partitions[0]!
      return [errorCode, offset, found]
    }
    expect(await find(-2)).toEqual([0, 0, -1])
    expect(await find(-1)).toEqual([0, 3, -1])
    expect(await find(-3)).toEqual([0, 2, start + 2000])
    expect(await find(start + 1)).toEqual([0, 1, start + 1000])
    expect(await find(start + 5000)).toEqual([0, -1, -1])
    expect(await find(-4)).toEqual([0, 0, -1])
    expect(await find(-5)).toEqual([0, -1, -1])
    expect(await find(-7)).toEqual([UNSUPPORTED_VERSION, -1, -1])
    expect(await find(-1, 4)).toEqual([UNKNOWN_TOPIC_OR_PARTITION, -1, -1])
    await broker.close()
  })
})

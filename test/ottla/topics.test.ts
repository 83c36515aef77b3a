/** Topics through the public API: what a reopening keeps, what a deletion takes, and how a partition is read. */
import { bytes, json, nullable, Ottla, string, type Message, type ReadOptions } from 'ottla'
import { describe, expect, it, onTestFinished } from 'vitest'
import { tempFolder } from '../support/temp-folder.js'

const open = async (location?: string): Promise<Ottla> => {
  const ottla = await Ottla.open({
    ...(location === undefined ? {} : { location }),
    configs: { 'group.initial.rebalance.delay.ms': 0 },
  })
  onTestFinished(() => ottla.close())
  return ottla
}

const collect = async <T>(messages: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const message of messages) all.push(message)
  return all
}

const text = new TextDecoder()

describe('reopening', () => {
  it('keeps topics, ids, configs, partitions, records and what groups committed', async () => {
    const location = await tempFolder()
    const configs = { 'retention.ms': -1, 'max.message.bytes': 54_321 }
    const definition = { partitions: 3, key: string, value: json<number>(), configs }
    const first = await open(location)
    const before = await first.createTopic('kept', definition)
    await first.createTopic('other')
    const sent = await first.producer().send(
      before,
      Array.from({ length: 20 }, (_, value) => ({ key: `k${value}`, value, partition: value % 3 })),
    )
    expect(sent.map(({ partition, offset }) => [partition, offset])).toEqual(
      Array.from({ length: 20 }, (_, i) => [i % 3, Math.floor(i / 3)]),
    )
    const member = await first.consumerGroup('g', { topics: [before], enableAutoCommit: false }).join()
    await member.commit([{ topic: 'kept', partition: 1, offset: 4 }])
    await member.close()
    await first.close()

    const second = await open(location)
    expect((await second.admin.listTopics()).toSorted()).toEqual(['kept', 'other'])
    const after = await second.createTopic('kept', definition)
    expect([after.id, after.partitionCount]).toEqual([before.id, 3])
    for (let partition = 0; partition < 3; partition++) {
      const messages = await collect(after.partition(partition).read({ to: 'latest' }))
      const expected = Array.from({ length: 20 }, (_, i) => i).filter((i) => i % 3 === partition)
      expect(messages.map(({ offset, key, value }) => [offset, key, value])).toEqual(
        expected.map((value, offset) => [offset, `k${value}`, value]),
      )
    }
    const entries = await second.admin.describeConfigs({ type: 'topic', name: 'kept' })
    expect(entries.find(({ name }) => name === 'max.message.bytes')?.value).toBe('54321')
    expect(entries.find(({ name }) => name === 'retention.ms')?.value).toBe('-1')
    expect(await second.admin.listConsumerGroupOffsets('g')).toMatchObject([
      { topic: 'kept', partition: 1, offset: 4 },
    ])
    const [next] = await second.producer().send(after, [{ key: 'k', value: 99, partition: 1 }])
    expect(next?.offset).toBe(7)
  })

  it('keeps a deletion', async () => {
    const location = await tempFolder()
    const first = await open(location)
    await first.createTopic('gone')
    await first.admin.deleteTopics(['gone'])
    await first.close()
    const second = await open(location)
    expect(await second.admin.listTopics()).toEqual([])
    await expect(second.topic('gone')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })
})

describe('a topic', () => {
  it('that is deleted and created again is another one, and empty', async () => {
    const ottla = await open()
    const producer = ottla.producer()
    const first = await ottla.createTopic('t', { value: string })
    await producer.send(first, [{ value: 'old' }, { value: 'old' }])
    await ottla.admin.deleteTopics(['t'])
    const second = await ottla.createTopic('t', { value: string })
    expect(second.id).not.toBe(first.id)
    expect(await collect(second.partition(0).read({ to: 'latest' }))).toEqual([])
    expect(await producer.send(second, { value: 'new' })).toMatchObject({ partition: 0, offset: 0 })
    const messages = await collect(second.partition(0).read({ to: 'latest' }))
    expect(messages.map(({ value }) => value)).toEqual(['new'])
  })

  it('that exists is given again, unless something else was asked for', async () => {
    const ottla = await open()
    const options = { partitions: 2, configs: { 'retention.ms': 1000 } }
    const first = await ottla.createTopic('t', options)
    expect((await ottla.createTopic('t', options)).id).toBe(first.id)
    expect((await ottla.createTopic('t')).partitionCount).toBe(2)
    const mismatch = { code: 'TOPIC_MISMATCH' }
    await expect(ottla.createTopic('t', { partitions: 3 })).rejects.toMatchObject(mismatch)
    await expect(ottla.createTopic('t', { configs: { 'retention.ms': 2000 } })).rejects.toMatchObject(
      mismatch,
    )
    await expect(ottla.admin.createTopics([{ name: 't' }])).rejects.toMatchObject({
      code: 'TOPIC_ALREADY_EXISTS',
    })
  })

  it('is listed and described', async () => {
    const ottla = await open()
    const topic = await ottla.createTopic('t', { partitions: 3 })
    expect(await ottla.admin.listTopics()).toEqual(['t'])
    const [described] = await ottla.admin.describeTopics(['t'])
    expect(described).toMatchObject({ name: 't', topicId: topic.id })
    expect(described?.partitions.map(({ partition }) => partition)).toEqual([0, 1, 2])
  })
})

describe('a record', () => {
  it('comes back with its timestamp, headers, null key and null value', async () => {
    const ottla = await open()
    const topic = await ottla.createTopic('t', { key: nullable(string), value: nullable(bytes) })
    const sentAt = 1_700_000_000_123
    const headers = [
      { key: 'a', value: new Uint8Array([0, 255]) },
      { key: 'a', value: null },
      { key: 'ü', value: new Uint8Array(0) },
    ]
    const producer = ottla.producer()
    await producer.send(topic, { key: 'k', value: new Uint8Array(0), timestamp: sentAt, headers })
    await producer.send(topic, { value: null, timestamp: new Date(sentAt + 1), headers: { b: 'text' } })
    const [first, second] = await collect(topic.partition(0).read({ to: 'latest' }))
    const whole = (message: Message | undefined) => [
      message?.topic,
      message?.partition,
      message?.offset,
      message?.key,
      Number(message?.timestamp),
    ]
    expect(whole(first)).toEqual(['t', 0, 0, 'k', sentAt])
    expect(first?.value).toEqual(new Uint8Array(0))
    expect(first?.headers.map(({ key, value }) => [key, value === null ? null : [...value]])).toEqual([
      ['a', [0, 255]],
      ['a', null],
      ['ü', []],
    ])
    expect(whole(second)).toEqual(['t', 0, 1, null, sentAt + 1])
    expect(second?.value).toBeNull()
    expect(second?.headers.map(({ key, value }) => [key, text.decode(value ?? undefined)])).toEqual([
      ['b', 'text'],
    ])
  })
})

describe('reading a partition', () => {
  const TIME = 1_700_000_000_000
  const COUNT = 12
  const date = (offset: number): Date => new Date(TIME + offset * 10)
  /** What to read, and the offsets that it is: of records 0 to 11, ten milliseconds apart. */
  const cases: readonly (readonly [string, ReadOptions, from: number, to: number])[] = [
    ['all', { to: 'latest' }, 0, COUNT],
    ['from an offset', { from: 5, to: 'latest' }, 5, COUNT],
    ['from an offset to one', { from: 5, to: 7 }, 5, 7],
    ['nothing', { from: 5, to: 5 }, 5, 5],
    ['from the end', { from: 'latest', to: 'latest' }, COUNT, COUNT],
    ['from the time of a record', { from: date(3), to: 'latest' }, 3, COUNT],
    ['from a time between records', { from: new Date(TIME + 31), to: 'latest' }, 4, COUNT],
    ['from a time before all', { from: new Date(0), to: 'latest' }, 0, COUNT],
    ['from a time to one', { from: date(3), to: date(6) }, 3, 6],
    ['to a time after all', { from: 10, to: date(100) }, 10, COUNT],
    ['from a time after all', { from: date(100), to: 'latest' }, COUNT, COUNT],
  ]
  it.each(cases)('%s', async (_, options, from, to) => {
    const ottla = await open()
    const topic = await ottla.createTopic('t', { value: json<number>(), configs: { 'retention.ms': -1 } })
    const records = Array.from({ length: COUNT }, (_, value) => ({ value, timestamp: date(value) }))
    const producer = ottla.producer()
    // Several batches, and several records in each of them.
    for (let at = 0; at < COUNT; at += 4) await producer.send(topic, records.slice(at, at + 4))
    const messages = await collect(topic.partition(0).read(options))
    const expected = Array.from({ length: to - from }, (_, index) => from + index)
    expect(messages.map(({ offset }) => offset)).toEqual(expected)
    expect(messages.map(({ value }) => value)).toEqual(expected)
  })

  it('goes on as records arrive, until its signal', async () => {
    const ottla = await open()
    const topic = await ottla.createTopic('t', { value: json<number>() })
    const producer = ottla.producer()
    const done = new AbortController()
    const seen: number[] = []
    await producer.send(topic, { value: 0 })
    const reading = (async () => {
      for await (const { value } of topic.partition(0).read({ signal: done.signal })) {
        seen.push(value)
        if (value === 3) done.abort(new Error('enough'))
        else await producer.send(topic, { value: value + 1 })
      }
    })()
    await expect(reading).rejects.toThrow('enough')
    expect(seen).toEqual([0, 1, 2, 3])
  })
})

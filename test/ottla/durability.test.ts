/** Durability through the public API: what was acknowledged is there, and what cannot be kept is not acknowledged. */
import { int32, json, Ottla, OttlaError, type Topic } from 'ottla'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startProcess } from '../support/child-process.js'
import { keptStorage } from '../support/kept-storage.js'
import { tempFolder } from '../support/temp-folder.js'
import { watchedStorage } from '../support/watched-storage.js'

const WRITER = new URL('../support/acknowledged-writer.ts', import.meta.url)

const valuesOf = async <V>(topic: Topic<Uint8Array, V>): Promise<V[]> => {
  const values: V[] = []
  for await (const { value } of topic.partition(0).read({ to: 'latest' })) values.push(value)
  return values
}

describe('a process that is killed', () => {
  it.each(['os', 'fsync'])('leaves every acknowledged record behind: %s', async (durability) => {
    const location = await tempFolder()
    const writer = startProcess(WRITER, [location, durability])
    await writer.lines(400)
    writer.child.kill('SIGKILL')
    const { signal, stdout } = await writer.ended
    expect(signal).toBe('SIGKILL')
    // The last line may be cut short.
    const acknowledged = stdout.split('\n').slice(0, -1)

    await using ottla = await Ottla.open(location)
    const topic = await ottla.topic('t', { value: int32 })
    const found = new Set<string>()
    for (const partition of topic.partitions()) {
      let next = 0
      for await (const { offset, value } of partition.read({ to: 'latest' })) {
        expect(offset).toBe(next++)
        found.add(`${partition.partition} ${offset} ${value}`)
      }
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(400)
    expect(acknowledged.filter((line) => !found.has(line))).toEqual([])
    // At most the one send that was not acknowledged is there besides.
    expect(found.size - acknowledged.length).toBeLessThanOrEqual(8)
    const records = topic.partitions().map(({ partition }) => ({ value: -1, partition }))
    const next = await ottla.producer().send(topic, records)
    for (const { partition, offset } of next) {
      expect([...found].filter((line) => line.startsWith(`${partition} `))).toHaveLength(offset)
    }
  })
})

describe('the durability that was asked for', () => {
  it.each(['os', 'fsync'] as const)(
    'reaches the storage with every append of records: %s',
    async (durability) => {
      const storage = watchedStorage(keptStorage())
      await using ottla = await Ottla.open({ storage, durability })
      const topic = await ottla.createTopic('t', { value: json<number>() })
      storage.appended.length = 0
      const producer = ottla.producer({ enableIdempotence: false })
      for (let value = 0; value < 3; value++) await producer.send(topic, { value })
      expect(storage.appended).toEqual([durability, durability, durability])
    },
  )
})

describe('a storage that fails', () => {
  const failing = async () => {
    const storage = watchedStorage(keptStorage())
    const ottla = await Ottla.open({ storage })
    onTestFinished(() => ottla.close().catch(() => undefined))
    const topic = await ottla.createTopic('t', { value: json<number>() })
    const events: OttlaError[] = []
    ottla.events.on('storageFailed', (error) => events.push(error))
    return { storage, ottla, topic, events }
  }

  it('acknowledges nothing more, says so once, can be closed, and has after that what was acknowledged', async () => {
    const { storage, ottla, topic, events } = await failing()
    const producer = ottla.producer({ deliveryTimeoutMs: 300, requestTimeoutMs: 100, lingerMs: 0 })
    for (let value = 0; value < 5; value++) await producer.send(topic, { value })
    const failure = storage.fail()
    for (let value = 5; value < 8; value++) {
      await expect(producer.send(topic, { value })).rejects.toSatisfy((error) => OttlaError.is(error))
    }
    await expect(ottla.createTopic('u')).rejects.toSatisfy((error) => OttlaError.is(error))
    expect(events).toHaveLength(1)
    expect(events[0]?.code).toBe(failure.code)
    await ottla.close().catch((error: unknown) => expect(OttlaError.is(error)).toBe(true))
    expect(ottla.isClosed).toBe(true)

    await using again = await Ottla.open({ storage })
    const after = await again.topic('t', { value: json<number>() })
    expect(await valuesOf(after)).toEqual([0, 1, 2, 3, 4])
    expect(await again.producer().send(after, { value: 5 })).toMatchObject({ offset: 5 })
    await expect(again.topic('u')).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC_OR_PARTITION' })
  })
})

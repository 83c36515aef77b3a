/** Closing in the middle of things: what was begun is finished or told that it is over, and nothing hangs. */
import { json, Ottla, OttlaError, string, type Topic } from 'ottla'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const signalled = () => {
  let fire!: () => void
  const fired = new Promise<void>((resolve) => (fire = resolve))
  return { fire, fired }
}

let ottla: Ottla
let numbers: Topic<string, number, 'numbers'>
beforeEach(async () => {
  ottla = await Ottla.open({ configs: { 'group.initial.rebalance.delay.ms': 0 } })
  numbers = await ottla.createTopic('numbers', { key: string, value: json<number>() })
})
afterEach(() => ottla.close())

const produce = (count: number) =>
  ottla.producer().send(
    numbers,
    Array.from({ length: count }, (_, value) => ({ key: 'k', value })),
  )

/** The code that a promise rejects with; 'ok' when it does not. */
const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'ok'
  } catch (error) {
    return OttlaError.is(error) ? error.code : String(error)
  }
}

describe('closing a consumer', () => {
  it.each(['the consumer', 'the ottla'])(
    'waits for the handler of run that is in a turn, and commits that turn: %s',
    async (what) => {
      await produce(5)
      const group = ottla.consumerGroup('g', { topics: [numbers] })
      const consumer = await group.join()
      const begun = signalled()
      const mayEnd = signalled()
      const handled: number[] = []
      const committed: number[] = []
      consumer.events.on('committed', (offsets) => committed.push(...offsets.map(({ offset }) => offset)))
      const running = consumer.run({
        eachMessage: async ({ value }) => {
          if (value === 2) {
            begun.fire()
            await mayEnd.fired
          }
          handled.push(value)
        },
      })
      await begun.fired
      let isClosed = false
      const closing = (what === 'the ottla' ? ottla.close() : consumer.close()).then(() => (isClosed = true))
      // As good as any wait: all that closing could do without the handler takes fewer turns.
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
      expect(isClosed).toBe(false)
      mayEnd.fire()
      await closing
      await running
      expect(handled).toEqual([0, 1, 2])
      expect(committed).toEqual([3])
    },
  )

  it('ends when a handler fails meanwhile, and its message comes again', async () => {
    await produce(3)
    const group = ottla.consumerGroup('g', { topics: [numbers] })
    const consumer = await group.join()
    const begun = signalled()
    const mayEnd = signalled()
    const running = consumer.run({
      eachMessage: async ({ value }) => {
        if (value < 1) return
        begun.fire()
        await mayEnd.fired
        throw new Error('broken')
      },
    })
    const outcome = expect(running).rejects.toThrow('broken')
    await begun.fired
    const closing = consumer.close()
    mayEnd.fire()
    await closing
    await outcome
    expect((await group.committed()).map(({ offset }) => offset)).toEqual([1])
  })

  it('may be asked for in the body of a for await loop', async () => {
    await produce(3)
    const group = ottla.consumerGroup('g', { topics: [numbers] })
    const consumer = await group.join()
    const seen: number[] = []
    for await (const { value } of consumer) {
      seen.push(value)
      if (value === 1) await consumer.close()
    }
    expect(seen).toEqual([0, 1])
    // The loop was in message 1 when it was closed.
    expect((await group.committed()).map(({ offset }) => offset)).toEqual([1])
  })

  it('does not mind that a topic with processed messages is gone', async () => {
    await produce(3)
    for (const open of [
      () => ottla.consumerGroup('g', { topics: [numbers] }).join(),
      () => Promise.resolve(ottla.consumer({ assign: [numbers], groupId: 'h', from: 'earliest' })),
    ]) {
      const consumer = await open()
      const messages = consumer[Symbol.asyncIterator]()
      await messages.next()
      await messages.next()
      await ottla.admin.deleteTopics(['numbers'])
      expect(await codeOf(consumer.close())).toBe('ok')
      await ottla.createTopic('numbers')
      await produce(3)
    }
  })
})

describe('closing everything', () => {
  it('answers every call that is pending', async () => {
    await produce(10)
    const producer = ottla.producer({ lingerMs: 60_000 })
    const group = ottla.consumerGroup('g', { topics: [numbers] })
    const member = await group.join()
    const reader = ottla.consumer({ assign: [numbers], from: 'latest' })
    const drain = async (messages: AsyncIterable<unknown>) => {
      for await (const _message of messages);
    }
    const pending: Readonly<Record<string, Promise<unknown>>> = {
      'a send that lingers': producer.send(numbers, { key: 'a', value: 1 }),
      'sends of many': producer.send(
        numbers,
        Array.from({ length: 5000 }, (_, value) => ({ key: 'b', value })),
      ),
      'a loop of a member': drain(member),
      'a loop that waits': drain(reader),
      'a run that waits': reader.run({ eachMessage: () => undefined }),
      'a commit': member.commit([{ topic: 'numbers', partition: 0, offset: 1 }]),
      'committed offsets': member.committed(),
      'a reading without end': drain(numbers.partition(0).read({ from: 'latest' })),
      'a join that waits for others': group.join(),
      'a join of another group': ottla.consumerGroup('h', { topics: [numbers] }).join(),
      'a topic that is created': ottla.createTopic('others'),
      'end offsets': reader.endOffsets(),
    }
    const codes = Promise.all(
      Object.entries(pending).map(async ([name, promise]) => [name, await codeOf(promise)] as const),
    )
    await ottla.close()
    for (const [name, code] of await codes) {
      expect(['ok', 'RESOURCE_CLOSED'], name).toContain(code)
      // What a producer has taken is sent before it closes, and loops end.
      if (/send|loop|run/.test(name)) expect(code, name).toBe('ok')
      if (name === 'a reading without end') expect(code).toBe('RESOURCE_CLOSED')
    }
  })
})

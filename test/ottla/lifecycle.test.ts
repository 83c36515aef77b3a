/** Opening and closing: who closes with whom, what still can be done afterwards, and what keeps a process alive. */
import { json, Ottla, OttlaError, string, type Topic } from 'ottla'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { startProcess } from '../support/child-process.js'
import { tempFolder } from '../support/temp-folder.js'

const IDLE_LOG = new URL('../support/idle-log.ts', import.meta.url)

const open = async (): Promise<Ottla> => {
  const ottla = await Ottla.open({ configs: { 'group.initial.rebalance.delay.ms': 0 } })
  onTestFinished(() => ottla.close())
  return ottla
}

const failure = async (action: () => unknown): Promise<OttlaError> => {
  try {
    await action()
  } catch (error) {
    if (OttlaError.is(error)) return error
    throw error
  }
  throw new Error('it did not fail')
}

let ottla: Ottla
let topic: Topic<string, number, 't'>
beforeEach(async () => {
  ottla = await open()
  topic = await ottla.createTopic('t', { key: string, value: json<number>() })
})

const join = () => ottla.consumerGroup('g', { topics: [topic] }).join()

describe('closing', () => {
  it('is done once, however often and from wherever it is asked for', async () => {
    const producer = ottla.producer()
    const consumer = ottla.consumer({ assign: topic.partitions() })
    const member = await join()
    for (const resource of [member, consumer, producer, ottla]) {
      const first = resource.close()
      const second = resource.close()
      expect(second).toBe(first)
      expect(resource.isClosed).toBe(true)
      await Promise.all([first, second])
      await resource.close()
    }
  })

  it('closes all that was made from it', async () => {
    const group = ottla.consumerGroup('g', { topics: [topic] })
    const made = [
      ottla.producer(),
      ottla.consumer({ assign: topic.partitions() }),
      group,
      await group.join(),
      await group.join(),
    ]
    expect(made.map(({ isClosed }) => isClosed)).toEqual(made.map(() => false))
    await ottla.close()
    expect(made.map(({ isClosed }) => isClosed)).toEqual(made.map(() => true))
  })

  it('of a child leaves the others alone', async () => {
    const producer = ottla.producer()
    const member = await join()
    await ottla.producer().close()
    await member.close()
    expect(await producer.send(topic, { value: 1 })).toMatchObject({ offset: 0 })
    await (await join()).close()
  })

  it('sends what producers have taken', async () => {
    const sent = ottla.producer({ lingerMs: 3_600_000 }).send(topic, [{ value: 1 }, { value: 2 }])
    await ottla.close()
    expect((await sent).map(({ offset }) => offset)).toEqual([0, 1])
  })

  it('comes at the end of await using, also when the block fails', async () => {
    let inside: Ottla | undefined
    const block = async () => {
      await using opened = await Ottla.open()
      inside = opened
      throw new Error('in the block')
    }
    await expect(block()).rejects.toThrow('in the block')
    expect(inside?.isClosed).toBe(true)
    let made
    {
      await using producer = ottla.producer()
      made = producer
      await producer.send(topic, { value: 1 })
    }
    expect([made.isClosed, ottla.isClosed]).toEqual([true, false])
  })

  it('lets go of the folder', async () => {
    const folder = await tempFolder()
    for (let round = 0; round < 2; round++) {
      await using opened = await Ottla.open(folder)
      expect((await failure(() => Ottla.open(folder))).code).toBe('STORAGE_LOCKED')
      await opened.createTopic('t')
    }
  })

  it('ends what waits with an error that says so', async () => {
    const member = await join()
    const reading = (async () => {
      for await (const _ of topic.partition(0).read());
    })()
    const joining = ottla.consumerGroup('h', { topics: [topic], sessionTimeoutMs: 6000 })
    const running = member.run({ eachMessage: () => undefined })
    const outcomes = Promise.all([failure(() => reading), running])
    await ottla.close()
    const [read] = await outcomes
    expect([read.code, read.message]).toEqual(['RESOURCE_CLOSED', expect.stringContaining('ottla')])
    expect((await failure(() => joining.join())).code).toBe('RESOURCE_CLOSED')
  })
})

describe('after closing', () => {
  const REST = 'is closed; open a new one to go on'

  it.each<readonly [string, (made: Made) => unknown, named: string]>([
    ['createTopic', ({ ottla }) => ottla.createTopic('u'), 'ottla'],
    ['topic', ({ ottla }) => ottla.topic('t'), 'ottla'],
    ['producer', ({ ottla }) => ottla.producer(), 'ottla'],
    ['consumer', ({ ottla, topic }) => ottla.consumer({ assign: topic.partitions() }), 'ottla'],
    ['consumerGroup', ({ ottla, topic }) => ottla.consumerGroup('x', { topics: [topic] }), 'ottla'],
    ['storageSizeBytes', ({ ottla }) => ottla.storageSizeBytes(), 'ottla'],
    ['admin', ({ ottla }) => ottla.admin.listTopics(), ''],
    ['send', ({ producer, topic }) => producer.send(topic, { value: 1 }), 'producer'],
    ['flush', ({ producer }) => producer.flush(), 'producer'],
    ['commit', ({ member }) => member.commit(), 'g'],
    ['run', ({ member }) => member.run({ eachMessage: () => undefined }), 'g'],
    ['seek', ({ consumer, topic }) => consumer.seek(topic.partition(0), 0), 'consumer'],
    ['join', ({ group }) => group.join(), 'group g'],
    [
      'a partition',
      async ({ topic }) => {
        for await (const _ of topic.partition(0).read({ to: 'latest' }));
      },
      'ottla',
    ],
  ])('%s tells what is closed', async (_, use, named) => {
    const group = ottla.consumerGroup('g', { topics: [topic] })
    const consumer = ottla.consumer({ assign: topic.partitions() })
    const made = { ottla, topic, group, member: await group.join(), consumer, producer: ottla.producer() }
    await ottla.close()
    const error = await failure(() => use(made))
    expect(error.code).toBe('RESOURCE_CLOSED')
    expect(error.message).toContain(named)
    expect(error.message).toContain(REST)
  })
})

interface Made {
  readonly ottla: Ottla
  readonly topic: Topic<string, number, 't'>
  readonly group: ReturnType<Ottla['consumerGroup']>
  readonly member: Awaited<ReturnType<typeof join>>
  readonly consumer: ReturnType<Ottla['consumer']>
  readonly producer: ReturnType<Ottla['producer']>
}

describe('a process', () => {
  it.each(['close', 'leave'])('ends by itself when nothing happens in its logs: %s', async (end) => {
    const { code, signal, stdout, stderr } = await startProcess(IDLE_LOG, [end, await tempFolder()]).ended
    expect({ code, signal, stdout, stderr }).toEqual({
      code: 0,
      signal: null,
      stdout: 'here\nhere\n[]\n',
      stderr: '',
    })
  })
})

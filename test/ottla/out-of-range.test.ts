/** What retention took, or what never was: a reader is told what there is, and none skips in silence. */
import { int32, Ottla, OttlaError, string, type Message } from 'ottla'
import { expect, it } from 'vitest'

const collect = async <M extends Message>(messages: AsyncIterable<M>): Promise<number[]> => {
  const offsets: number[] = []
  for await (const { offset } of messages) offsets.push(offset)
  return offsets
}

const failure = async (promise: Promise<unknown>): Promise<OttlaError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (OttlaError.is(error)) return error
  throw new Error('It did not fail with an OttlaError.')
}

it('says which offsets there are, where one is asked for that is not', async () => {
  await using ottla = await Ottla.open()
  const topic = await ottla.createTopic('t', { key: string, value: int32 })
  await ottla.producer().send(
    topic,
    [1, 2, 3].map((value) => ({ key: 'k', value })),
  )
  expect(await collect(topic.partition(0).read({ from: 0, to: 'latest' }))).toEqual([0, 1, 2])
  const error = await failure(collect(topic.partition(0).read({ from: 7 })))
  expect(error.code).toBe('OFFSET_OUT_OF_RANGE')
  expect(error.details).toMatchObject({
    topic: 't',
    partition: 0,
    offset: 7,
    logStartOffset: 0,
    highWatermark: 3,
  })
  expect(error.message).toMatch(/t-0.*\b7\b.*\b0\b.*\b3\b/)
})

it('is told to a consumer without a reset, which goes on after a seek', async () => {
  await using ottla = await Ottla.open()
  const topic = await ottla.createTopic('t', { key: string, value: int32 })
  await ottla.producer().send(topic, { key: 'k', value: 1 })
  const consumer = ottla.consumer({ assign: [topic], from: 9, autoOffsetReset: 'none' })
  const next = async (): Promise<Message | undefined> => {
    for await (const message of consumer) return message
    return undefined
  }
  expect((await failure(next())).details).toMatchObject({ offset: 9, logStartOffset: 0, highWatermark: 1 })
  await consumer.seek({ topic: 't', partition: 0 }, 0)
  expect(await next()).toMatchObject({ offset: 0, value: 1 })
})

it('answers what is no input at all with a typed error', async () => {
  await using ottla = await Ottla.open()
  const topic = await ottla.createTopic('t')
  const consumer = ottla.consumer({ assign: [topic], groupId: 'g' })
  for (const name of [undefined, null, 5]) {
    expect((await failure(ottla.createTopic(name as never))).code).toBe('INVALID_TOPIC_EXCEPTION')
  }
  expect(() => ottla.consumer(undefined as never)).toThrow(OttlaError)
  expect((await failure(consumer.commit({ topic: 't' } as never))).code).toBe('INVALID_ARGUMENT')
})

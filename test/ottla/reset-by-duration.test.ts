/** A reset back by a duration (KIP-1106): the first record that is not older, or the end where all are. */
import { int32, Ottla } from 'ottla'
import { expect, it } from 'vitest'

const HOUR = 3_600_000

const start = async () => {
  const ottla = await Ottla.open()
  const topic = await ottla.createTopic('t', { value: int32 })
  const now = Date.now()
  const hoursAgo = [5, 3, 2]
  await ottla.producer().send(
    topic,
    hoursAgo.map((hours) => ({ value: hours, timestamp: now - hours * HOUR })),
  )
  return { ottla, topic }
}

it.each([
  ['with nothing committed', undefined],
  ['out of range', 99],
])('begins where the duration leads, %s', async (_, from) => {
  const { ottla, topic } = await start()
  await using _closing = ottla
  const expected = [
    { byDurationMs: 10 * HOUR, offset: 0 },
    { byDurationMs: 4 * HOUR, offset: 1 },
    { byDurationMs: 2.5 * HOUR, offset: 2 },
    { byDurationMs: Number.MAX_SAFE_INTEGER, offset: 0 },
    { byDurationMs: 1 * HOUR, offset: 3 },
    { written: 'PT10H', offset: 0 },
    { written: 'P1D', offset: 0 },
    { written: 'PT3H60M', offset: 1 },
    { written: 'PT2H29M60S', offset: 2 },
    { written: 'P0DT150M', offset: 2 },
    { written: 'PT3600.5S', offset: 3 },
  ]
  for (const { byDurationMs, written, offset } of expected) {
    // Out of range, nothing tells from outside when the end was looked up, so nothing can be sent behind it.
    if (offset === 3 && from !== undefined) continue
    const autoOffsetReset =
      byDurationMs === undefined ? (`by_duration:${written}` as const) : { byDurationMs }
    const consumer = ottla.consumer({ assign: [topic], autoOffsetReset, ...(from !== undefined && { from }) })
    const reading = consumer[Symbol.asyncIterator]().next()
    // All are older: it waits at the end for what comes.
    if (offset === 3) {
      expect(await consumer.position({ topic: 't', partition: 0 })).toBe(3)
      await ottla.producer().send(topic, { value: 0 })
    }
    expect((await reading).value).toMatchObject({ offset })
    await consumer.close()
  }
})

it.each([
  { byDurationMs: -1 },
  { byDurationMs: 0.5 },
  { byDurationMs: 1, more: 1 },
  {},
  'by_duration:',
  'by_duration:P',
  'by_duration:PT',
  'by_duration:1h',
  'by_duration:-PT1H',
  'by_duration:PT1H ',
  'by_duration:P1Y',
  'by_duration:P99999999999999D',
])('refuses %j', async (autoOffsetReset) => {
  const { ottla, topic } = await start()
  await using _closing = ottla
  expect(() => ottla.consumer({ assign: [topic], autoOffsetReset: autoOffsetReset as never })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  )
})

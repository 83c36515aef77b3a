/** A compacted topic as an application has it: who reads, seeks, commits or asks for the time passes over the gaps. */
import { Ottla, string, type CompactionEvent, type Message } from 'ottla'
import { expect, it } from 'vitest'

const PARTITION = { topic: 'table', partition: 0 }
const FIRST_TIMESTAMP = 1_700_000_000_000

const openTable = async () => {
  const ottla = await Ottla.open({ configs: { 'log.cleaner.backoff.ms': 1 } })
  const table = await ottla.createTopic('table', {
    key: string,
    value: string,
    // Each batch is a segment, as its timestamp lies more than this behind that of the one before.
    configs: { 'segment.ms': 1 },
  })
  return { ottla, table }
}

type Table = Awaited<ReturnType<typeof openTable>>

/** Sends `keys`, one batch each, by two producers in turn, and then `end`; resolves when all but that is compacted. */
const fill = async ({ ottla, table }: Table, keys: readonly string[]): Promise<void> => {
  const producers = [ottla.producer(), ottla.producer()]
  const compacted = new Promise<CompactionEvent>((resolve) => ottla.events.on('logCompacted', resolve))
  for (const [index, key] of [...keys, 'end'].entries()) {
    const timestamp = FIRST_TIMESTAMP + index * 10
    await producers[index % 2]!.send(table, { key, value: `${index}`, timestamp })
  }
  await ottla.admin.alterConfigs({ type: 'topic', name: 'table' }, { 'cleanup.policy': 'compact' })
  expect(await compacted).toMatchObject({ ...PARTITION, recordsBefore: keys.length })
}

const collect = async (messages: AsyncIterable<Message>): Promise<number[]> => {
  const offsets: number[] = []
  for await (const { offset } of messages) offsets.push(offset)
  return offsets
}

const KEYS = ['a', 'b', 'a', 'a', 'b', 'c', 'a', 'b', 'b', 'b']

it('is read over gaps and over batches that nothing is left in', async () => {
  const world = await openTable()
  await using ottla = world.ottla
  await fill(world, KEYS)
  const partition = world.table.partition(0)
  expect(await collect(partition.read({ from: 0, to: 'latest' }))).toEqual([5, 6, 9, 10])
  expect(await collect(partition.read({ from: 3, to: 'latest' })), 'from within a gap').toEqual([5, 6, 9, 10])
  expect(await collect(partition.read({ from: 7, to: 'latest' }))).toEqual([9, 10])
  const report = await ottla.verify()
  expect(report.partitions.flatMap(({ problems }) => problems)).toEqual([])
})

it('C7: a consumer that seeks into a gap goes on behind it; position, lag and commits are offsets as ever', async () => {
  const world = await openTable()
  await using ottla = world.ottla
  await fill(world, KEYS)
  const consumer = ottla.consumer({ assign: [world.table], groupId: 'readers', from: 'earliest' })
  const next = async (): Promise<number | undefined> => {
    for await (const { offset } of consumer) return offset
    return undefined
  }
  // A loop that is left has not processed the message that it is in.
  expect(await next()).toBe(5)
  await consumer.seek(PARTITION, 2)
  expect(await consumer.position(PARTITION)).toBe(2)
  const seen: number[] = []
  const lags: (number | undefined)[] = []
  for await (const { offset } of consumer) {
    seen.push(offset)
    lags.push(consumer.lag(PARTITION))
    if (seen.length === 4) await consumer.close()
  }
  expect(seen).toEqual([5, 6, 9, 10])
  // Of 11 offsets those from the message on that the loop is in.
  expect(lags.map((lag) => lag! <= 11)).toEqual([true, true, true, true])
  expect(
    [...lags].sort((a, b) => b! - a!),
    'it never grows',
  ).toEqual(lags)

  const member = await ottla.consumerGroup('committers', { topics: [world.table] }).join()
  let count = 0
  for await (const message of member) {
    if (++count === 3) break
    await member.commit([{ ...PARTITION, offset: message.offset + 1 }])
  }
  await member.close()
  const follower = await ottla.consumerGroup('committers', { topics: [world.table] }).join()
  for await (const { offset } of follower) {
    expect(offset).toBe(9)
    break
  }
  await follower.close()
})

it('is searched by time for what is left', async () => {
  const world = await openTable()
  await using ottla = world.ottla
  await fill(world, KEYS)
  const consumer = ottla.consumer({ assign: [world.table] })
  const at = async (ms: number): Promise<number | undefined> => {
    const [found] = await consumer.offsetsForTimes([{ ...PARTITION, timestamp: FIRST_TIMESTAMP + ms }])
    return found!.offset
  }
  expect(await Promise.all([0, 55, 60, 61].map(at))).toEqual([5, 6, 6, 9])
})

/** Static members on the embedded broker (KIP-345): they keep their place while they are away, and fence each other. */
import { afterEach, describe, expect, it } from 'vitest'
import { Admin } from '../../../src/clients/admin/admin.js'
import type { Consumer } from '../../../src/clients/consumer/consumer.js'
import type { GroupConsumerOptions } from '../../../src/clients/consumer/consumer-options.js'
import { readPartition } from '../../../src/clients/consumer/read-partition.js'
import { ConsumerGroup } from '../../../src/clients/group/consumer-group.js'
import { partitionName, type Message } from '../../../src/clients/message.js'
import { string } from '../../../src/clients/serdes/string.js'
import { Topic } from '../../../src/clients/topic.js'
import { DirectNetwork } from '../../../src/network/direct.js'
import { contextOver, turn } from '../../support/client-context.js'
import { openTestBroker } from '../../support/test-broker.js'

type Text = Message<string, string>

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource.close()
})

const openWorld = async () => {
  const test = await openTestBroker()
  const { broker, clock } = test
  const context = contextOver(new DirectNetwork(broker, { clock, clientId: 'test' }), clock)
  const id = await test.createTopic('orders', 4)
  const definition = { name: 'orders', id, partitionCount: 4, key: string, value: string }
  const topic = new Topic<string, string>(definition, readPartition(context))
  const group = new ConsumerGroup<Topic<string, string>>(context, 'billing', { topics: [topic] })
  open.push(broker, group)
  /** Lets time pass until `promise` settles. */
  const reached = async <T>(promise: Promise<T>): Promise<T> => {
    const settled = { is: false }
    const settle = (): void => void (settled.is = true)
    promise.then(settle, settle)
    for (let passed = 0; !settled.is && passed <= 120_000; passed += 25) await clock.advanceAsync(25)
    expect(settled.is).toBe(true)
    return promise
  }
  const join = (options: GroupConsumerOptions): Promise<Consumer<Text>> => reached(group.join(options))
  const until = (condition: () => boolean): Promise<void> =>
    reached(
      (async () => {
        while (!condition()) await turn()
      })(),
    )
  return { ...test, context, group, join, until }
}

const shareOf = (consumer: Consumer<Text>): string[] => consumer.assignment().map(partitionName).sort()

describe('a static member', () => {
  it('finds its partitions again when it comes back in time, and the others never hear of it', async () => {
    const { join, clock } = await openWorld()
    const options = { sessionTimeoutMs: 30_000 }
    const first = await join({ ...options, groupInstanceId: 'a' })
    const second = await join({ ...options, groupInstanceId: 'b' })
    const [sharesOfFirst, sharesOfSecond] = [shareOf(first), shareOf(second)]
    const told: string[] = []
    for (const event of ['assigned', 'revoked', 'lost'] as const) {
      second.events.on(event, () => told.push(event))
    }
    await first.close()
    await clock.advanceAsync(20_000)
    const back = await join({ ...options, groupInstanceId: 'a' })
    expect(shareOf(back)).toEqual(sharesOfFirst)
    expect(shareOf(second)).toEqual(sharesOfSecond)
    await clock.advanceAsync(20_000)
    expect(told).toEqual([])
  })

  it('that stays away for longer than its session is missed', async () => {
    const { join, until } = await openWorld()
    const options = { sessionTimeoutMs: 30_000 }
    const first = await join({ ...options, groupInstanceId: 'a' })
    const second = await join({ ...options, groupInstanceId: 'b' })
    await first.close()
    await until(() => shareOf(second).length === 4)
  })

  it('fails for good when another one of its name joins', async () => {
    const { join, until } = await openWorld()
    const first = await join({ groupInstanceId: 'a' })
    const errors: unknown[] = []
    first.events.on('error', (error) => errors.push(error))
    const second = await join({ groupInstanceId: 'a' })
    expect(shareOf(second)).toHaveLength(4)
    await until(() => errors.length > 0)
    expect(errors).toMatchObject([{ code: 'FENCED_INSTANCE_ID', retriable: false }])
    expect(shareOf(first)).toEqual([])
    await expect(first[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID' })
  })

  it('G2: learns of it by a commit as well', async () => {
    const { join } = await openWorld()
    const first = await join({ groupInstanceId: 'a', heartbeatIntervalMs: 40_000 })
    await join({ groupInstanceId: 'a' })
    const commit = first.commit([{ topic: 'orders', partition: 0, offset: 1 }])
    await expect(commit).rejects.toMatchObject({ code: 'FENCED_INSTANCE_ID' })
    await turn()
    expect(shareOf(first)).toEqual([])
  })

  it('is shown by its name, and removed by it', async () => {
    const { join, context, group, until } = await openWorld()
    const first = await join({ groupInstanceId: 'a' })
    await join({})
    const { members } = await group.describe()
    expect(members.map(({ groupInstanceId }) => groupInstanceId).sort()).toEqual(['a', null])
    await first.close()
    expect((await group.describe()).members).toHaveLength(2)
    const admin = new Admin(context)
    await admin.removeMembersFromConsumerGroup('billing', [{ groupInstanceId: 'a' }])
    let left = -1
    const look = async (): Promise<void> => void (left = (await group.describe()).members.length)
    await until(() => {
      void look()
      return left === 1
    })
    await expect(
      admin.removeMembersFromConsumerGroup('billing', [{ groupInstanceId: 'a' }]),
    ).rejects.toMatchObject({
      code: 'UNKNOWN_MEMBER_ID',
      details: { groupInstanceId: 'a' },
    })
    await expect(
      admin.removeMembersFromConsumerGroup('billing', [{ groupInstanceId: 'a' }, { groupInstanceId: 'b' }]),
    ).rejects.toMatchObject({
      code: 'ITEMS_FAILED',
    })
  })

  it.each(['', '.', 'a b', 'é', 'x'.repeat(250)])('cannot be called %j', async (groupInstanceId) => {
    const { group } = await openWorld()
    await expect(group.join({ groupInstanceId })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})

/** What groups keep when a topic is deleted that they have committed offsets of. */
import { afterEach, expect, it } from 'vitest'
import { deleteTopics } from '../../src/protocol/api/delete-topics.js'
import { gatedStorage } from '../support/gated-storage.js'
import {
  commitOffset,
  committedOffset,
  end,
  initialized,
  FEW_PARTITIONS,
} from '../support/raw-transactions.js'
import { openTestBroker, type TestBroker } from '../support/test-broker.js'
import { membersOf } from '../support/test-members.js'

const open: TestBroker[] = []
const openBroker = async (...options: Parameters<typeof openTestBroker>): Promise<TestBroker> => {
  const test = await openTestBroker(...options)
  open.push(test)
  return test
}
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

const remove = ({ send }: TestBroker, topicId: string) =>
  send(deleteTopics, { topics: [{ name: null, topicId }], topicNames: [], timeoutMs: 1000 })

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

it('a commit on its way outlives the deletion of the only other topic that its group has offsets of (G3)', async () => {
  const { storage, hold, release } = gatedStorage()
  const test = await openBroker({ 'offsets.topic.num.partitions': 1 }, storage)
  const [orders, other] = [await test.createTopic('orders'), await test.createTopic('other')]
  const { commit, committed } = membersOf(test)
  const known = new Set((await storage.partitions()).map(({ topicId }) => topicId))
  expect(await commit('', -1, orders, 1)).toBe(0)
  const [offsets] = (await storage.partitions()).filter(({ topicId }) => !known.has(topicId))
  hold(offsets!.topicId)
  const committing = commit('', -1, other, 2)
  await turns()
  await remove(test, orders)
  await turns()
  release()
  expect(await committing).toBe(0)
  await turns()
  expect(await committed(other)).toMatchObject({ offset: 2 })
  await test.broker.close()
  const again = await openBroker({ 'offsets.topic.num.partitions': 1 }, storage)
  expect(await membersOf(again).committed(other)).toMatchObject({ offset: 2 })
})

it('an offset that is pending in a transaction says nothing of a topic that is created anew', async () => {
  const test = await openBroker(FEW_PARTITIONS)
  const orders = await test.createTopic('orders')
  const producer = await initialized(test, 'tx')
  expect(await commitOffset(test, producer, 'billing', 7)).toBe(0)
  await remove(test, orders)
  const anew = await test.createTopic('orders')
  expect((await end(test, producer, true, 2)).errorCode).toBe(0)
  expect(await committedOffset(test, 'billing', anew)).toBe(-1)
})

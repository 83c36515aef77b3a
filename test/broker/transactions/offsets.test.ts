/** Offsets in transactions (T1, KIP-98, KIP-447): they count with what was written, or not at all. */
import { afterEach, describe, expect, it } from 'vitest'
import { addOffsetsToTxn } from '../../../src/protocol/api/add-offsets-to-txn.js'
import { deleteGroups } from '../../../src/protocol/api/delete-groups.js'
import type { LogStorage } from '../../../src/storage/contract.js'
import { keptStorage } from '../../support/kept-storage.js'
import {
  commitOffset,
  committedOffset,
  end,
  FEW_PARTITIONS,
  initialized,
  type Level,
  type RawProducer,
} from '../../support/raw-transactions.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { membersOf } from '../../support/test-members.js'

const UNKNOWN_TOPIC_OR_PARTITION = 3
const ILLEGAL_GENERATION = 22
const INVALID_GROUP_ID = 24
const UNKNOWN_MEMBER_ID = 25
const INVALID_PRODUCER_EPOCH = 47
const INVALID_TXN_STATE = 48
const TRANSACTION_ABORTABLE = 120
const UNSTABLE_OFFSET_COMMIT = { errorCode: 88 }

const open: TestBroker[] = []
const openBroker = async (storage?: LogStorage): Promise<TestBroker> => {
  const test = await openTestBroker(FEW_PARTITIONS, storage)
  open.push(test)
  return test
}
afterEach(async () => {
  for (const { broker } of open.splice(0)) await broker.close()
})

const addOffsets = async ({ send }: TestBroker, producer: RawProducer, groupId: string): Promise<number> =>
  (await send(addOffsetsToTxn, { ...producer, groupId })).errorCode

describe.each([2, 0] as const)('offsets in a transaction of level %s', (level: Level) => {
  const begin = async (storage?: LogStorage) => {
    const test = await openBroker(storage)
    const orders = await test.createTopic('orders')
    const producer = await initialized(test, 'tx')
    if (level === 0) expect(await addOffsets(test, producer, 'billing')).toBe(0)
    return { test, orders, producer, apiVersion: level === 2 ? 5 : 4 }
  }

  it('are pending until it is committed', async () => {
    const { test, orders, producer, apiVersion } = await begin()
    expect(await commitOffset(test, producer, 'billing', 7, { apiVersion })).toBe(0)
    expect(await committedOffset(test, 'billing', orders)).toEqual(UNSTABLE_OFFSET_COMMIT)
    expect(await committedOffset(test, 'billing', orders, false)).toBe(-1)
    expect((await end(test, producer, true, level)).errorCode).toBe(0)
    expect(await committedOffset(test, 'billing', orders)).toBe(7)
  })

  it('are gone when it is aborted', async () => {
    const { test, orders, producer, apiVersion } = await begin()
    await membersOf(test).commit('', -1, orders, 3)
    expect(await commitOffset(test, producer, 'billing', 7, { apiVersion })).toBe(0)
    expect((await end(test, producer, false, level)).errorCode).toBe(0)
    expect(await committedOffset(test, 'billing', orders)).toBe(3)
  })

  it('give way to a commit that came after them, though the transaction ends later', async () => {
    const { test, orders, producer, apiVersion } = await begin()
    expect(await commitOffset(test, producer, 'billing', 7, { apiVersion })).toBe(0)
    expect(await membersOf(test).commit('', -1, orders, 9)).toBe(0)
    expect((await end(test, producer, true, level)).errorCode).toBe(0)
    expect(await committedOffset(test, 'billing', orders)).toBe(9)
  })

  it.each([true, false])('are pending after a restart, and end as it ends (%s)', async (isCommitted) => {
    const storage = keptStorage()
    const { test, orders, producer, apiVersion } = await begin(storage)
    await commitOffset(test, producer, 'billing', 7, { apiVersion })
    await test.broker.close()
    const after = await openBroker(storage)
    expect(await committedOffset(after, 'billing', orders)).toEqual(UNSTABLE_OFFSET_COMMIT)
    expect((await end(after, producer, isCommitted, level)).errorCode).toBe(0)
    expect(await committedOffset(after, 'billing', orders)).toBe(isCommitted ? 7 : -1)
    await after.broker.close()
    const last = await openBroker(storage)
    expect(await committedOffset(last, 'billing', orders)).toBe(isCommitted ? 7 : -1)
  })

  it('are gone with their group', async () => {
    const { test, orders, producer, apiVersion } = await begin()
    await commitOffset(test, producer, 'billing', 7, { apiVersion })
    await test.send(deleteGroups, { groupsNames: ['billing'] })
    expect((await end(test, producer, true, level)).errorCode).toBe(0)
    expect(await committedOffset(test, 'billing', orders)).toBe(-1)
  })

  it('are refused from a producer whose transaction is over (T2, T5)', async () => {
    const { test, producer, apiVersion } = await begin()
    await commitOffset(test, producer, 'billing', 7, { apiVersion })
    await initialized(test, 'tx')
    expect(await commitOffset(test, producer, 'billing', 8, { apiVersion })).toBe(INVALID_PRODUCER_EPOCH)
  })

  it('are refused for a generation that is over, or a member that is none', async () => {
    const { test, producer, apiVersion } = await begin()
    const members = membersOf(test)
    const { memberId } = await members.join()
    const { generationId } = await members.join(memberId)
    const commit = (who: { memberId: string; generationId: number }) =>
      commitOffset(test, producer, 'billing', 7, { apiVersion, ...who })
    expect(await commit({ memberId, generationId: generationId - 1 })).toBe(ILLEGAL_GENERATION)
    expect(await commit({ memberId: 'nobody', generationId })).toBe(UNKNOWN_MEMBER_ID)
    // While the members are synchronizing a transaction may still commit what it has read (KIP-447).
    expect(await commit({ memberId, generationId })).toBe(0)
    // Clients before that do not say who they are.
    expect(await commit({ memberId: '', generationId: -1 })).toBe(0)
  })

  it('are refused for a partition that is not there, and for no group', async () => {
    const { test, producer, apiVersion } = await begin()
    expect(await commitOffset(test, producer, 'billing', 7, { apiVersion, topic: 'nothing' })).toBe(
      UNKNOWN_TOPIC_OR_PARTITION,
    )
    expect(await commitOffset(test, producer, '', 7, { apiVersion })).toBe(INVALID_GROUP_ID)
  })
})

it('offsets of a group that was not added are refused from clients that have to (T4)', async () => {
  const test = await openBroker()
  const orders = await test.createTopic('orders')
  const producer = await initialized(test, 'tx')
  expect(await commitOffset(test, producer, 'billing', 7, { apiVersion: 3 })).toBe(INVALID_TXN_STATE)
  expect(await commitOffset(test, producer, 'billing', 7, { apiVersion: 4 })).toBe(TRANSACTION_ABORTABLE)
  expect(await committedOffset(test, 'billing', orders)).toBe(-1)
})

it('offsets that are pending keep their group from expiring, however old they are', async () => {
  const test = await openTestBroker({
    ...FEW_PARTITIONS,
    'offsets.retention.minutes': 1,
    'offsets.retention.check.interval.ms': 1000,
  })
  open.push(test)
  const orders = await test.createTopic('orders')
  const producer = await initialized(test, 'tx', { timeoutMs: 900_000 })
  expect(await commitOffset(test, producer, 'billing', 7)).toBe(0)
  test.clock.advance(120_000)
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  expect((await end(test, producer, true, 2)).errorCode).toBe(0)
  expect(await committedOffset(test, 'billing', orders)).toBe(7)
})

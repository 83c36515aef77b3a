/**
 * A transaction over two topics and a group, and a process that dies at every single write of it (T1, T3): what is found
 * afterwards is all or nothing, all if the commit was acknowledged, and nothing is left open.
 */
import { describe, expect, it } from 'vitest'
import { cutStorage } from '../../support/cut-storage.js'
import {
  add,
  commitOffset,
  committedOffset,
  end,
  FEW_PARTITIONS,
  initialized,
  readCommitted,
  write,
  type Level,
} from '../../support/raw-transactions.js'
import { openTestBroker, type TestBroker } from '../../support/test-broker.js'
import { addOffsetsToTxn } from '../../../src/protocol/api/add-offsets-to-txn.js'

const prepare = async (level: Level) => {
  const { kept, storage, writeCount, dieAfter } = cutStorage()
  const test = await openTestBroker(FEW_PARTITIONS, storage)
  const orders = await test.createTopic('orders')
  const bills = await test.createTopic('bills')
  const producer = await initialized(test, 'tx')
  await committedOffset(test, 'billing', orders)
  const run = async (isCommitted: boolean): Promise<number> => {
    if (level === 0) {
      await add(test, producer, 'orders', [0])
      await add(test, producer, 'bills', [0])
      await test.send(addOffsetsToTxn, { ...producer, groupId: 'billing' })
    }
    const apiVersion = level === 2 ? 12 : 11
    await write(test, producer, 'orders', ['a'], { apiVersion })
    await write(test, producer, 'bills', ['b'], { apiVersion })
    await commitOffset(test, producer, 'billing', 7, { apiVersion: level === 2 ? 5 : 4 })
    return (await end(test, producer, isCommitted, level)).errorCode
  }
  return { kept, writeCount, dieAfter, run, orders, bills }
}

const seen = async (test: TestBroker, { orders, bills }: { orders: string; bills: string }) => {
  const [inOrders, inBills] = [await readCommitted(test, orders), await readCommitted(test, bills)]
  return {
    values: [...inOrders.values, ...inBills.values],
    offset: await committedOffset(test, 'billing', orders),
    isSettled: inOrders.stable === inOrders.highWatermark && inBills.stable === inBills.highWatermark,
  }
}
const ALL = { values: ['a', 'b'], offset: 7, isSettled: true }
const NOTHING = { values: [], offset: -1, isSettled: true }

const writesOf = async (level: Level): Promise<number> => {
  const { writeCount, run } = await prepare(level)
  const before = writeCount()
  expect(await run(true)).toBe(0)
  return writeCount() - before
}

describe.each([2, 0] as const)('a transaction of level %s', (level: Level) => {
  it.each([true, false])('is all or nothing wherever the process dies (commit: %s)', async (isCommitted) => {
    const count = await writesOf(level)
    // Two partitions and a group, each written to and marked, and the steps of the transaction.
    expect(count).toBeGreaterThanOrEqual(9)
    const outcomes = new Set<string>()
    for (let writes = 0; writes <= count; writes++) {
      const world = await prepare(level)
      world.dieAfter(writes)
      let acknowledged: number | undefined
      void world.run(isCommitted).then((errorCode) => (acknowledged = errorCode))
      // What is let through takes turns of the event loop only, never time.
      for (let turn = 0; turn < 60; turn++) await new Promise(setImmediate)
      const test = await openTestBroker(FEW_PARTITIONS, world.kept)
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      const found = await seen(test, world)
      if (acknowledged === 0) expect([writes, found]).toEqual([writes, isCommitted ? ALL : NOTHING])
      if (found.isSettled) {
        expect([writes, isCommitted ? [ALL, NOTHING] : [NOTHING]]).toEqual([
          writes,
          isCommitted ? expect.arrayContaining([found]) : [found],
        ])
      } else {
        // Not decided: the next producer of the id aborts it.
        expect([writes, found.values]).toEqual([writes, []])
      }
      await initialized(test, 'tx')
      expect([writes, await seen(test, world)]).toEqual([writes, found.isSettled ? found : NOTHING])
      outcomes.add(found.isSettled ? JSON.stringify(found.values) : 'open')
      await test.broker.close()
    }
    // The test has seen all that can happen.
    expect([...outcomes].sort()).toEqual(isCommitted ? ['["a","b"]', '[]', 'open'] : ['[]', 'open'])
  })
})

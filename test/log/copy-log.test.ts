/** What a log keeps besides its batches goes with a copy: read from it, the same transactions are open and aborted. */
import { expect, it } from 'vitest'
import { copyLog } from '../../src/log/maintenance/copy-log.js'
import { PartitionLog } from '../../src/log/partition-log.js'
import { encodeControlBatch } from '../../src/record/control.js'
import { systemClock } from '../../src/runtime/clock.js'
import type { LogStorage } from '../../src/storage/contract.js'
import { batchOf, openLog } from '../support/log-batches.js'
import { keptStorage } from '../support/kept-storage.js'

const ID = { topicId: 'MkU3OEVBNTcwNTJENDM2Qg', partition: 0 }

const logIn = async (storage: LogStorage): Promise<PartitionLog> => openLog(await storage.partition(ID))

it('copies transactions that were aborted, and one that is open', async () => {
  const from = keptStorage()
  await from.open()
  const log = await logIn(from)
  const write = (producerId: number, baseSequence: number) =>
    log.append(batchOf(1, 1, { producerId, producerEpoch: 0, baseSequence, isTransactional: true }))
  for (let transaction = 0; transaction < 3; transaction++) {
    await write(1, transaction)
    const marker = { producerId: 1, producerEpoch: 0, coordinatorEpoch: 0, timestamp: systemClock.now() }
    await log.append(encodeControlBatch({ type: 'abort', ...marker }), { origin: 'coordinator' })
  }
  await write(2, 0)
  const expected = await log.read(0, 1e6, { isolation: 'read_committed' })
  expect(expected.lastStableOffset).toBe(6)
  expect(expected.abortedTransactions).toHaveLength(3)
  await log.close()

  const to = keptStorage()
  await to.open()
  await copyLog(from, to)
  const copied = await logIn(to)
  // Nothing had to be read through again: the checkpoint and what it names were there.
  expect(copied.recovery).toMatchObject({ checkpoint: 'sound', validatedBytes: 0 })
  const found = await copied.read(0, 1e6, { isolation: 'read_committed' })
  expect(found.abortedTransactions).toEqual(expected.abortedTransactions)
  expect(found.lastStableOffset).toBe(6)
})

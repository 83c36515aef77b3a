/** What the contract says of a failed write: nothing after it is acknowledged until close and open. */
import { check, checkEqual, checkRejects } from './assertions.js'
import { PARTITION, readAll, sampleBatch } from './samples.js'
import type { StorageTest } from './suite-context.js'

const OS = { durability: 'os' } as const

/** Declares the tests; they need `failNextWrite`. */
export const failureTests = (test: StorageTest): void => {
  test('after a failed write every write is refused, until close and open', async (subject) => {
    const { storage } = subject
    const partition = await storage.partition(PARTITION)
    const other = await storage.partition({ ...PARTITION, partition: 1 })
    const stored = sampleBatch(0)
    await partition.append([stored], OS)
    check(storage.failure === undefined, 'no failure before')

    subject.failNextWrite()
    // The second is on its way with the first, or waits behind it: either way it must not be acknowledged.
    const overlapping = [
      partition.append([sampleBatch(10)], OS),
      partition.append([sampleBatch(20)], OS),
      other.append([sampleBatch(0)], OS),
      partition.truncatePrefix(10),
      partition.writeBlobs({ a: new Uint8Array([1]) }, 'os'),
    ]
    for (const [index, write] of overlapping.entries()) {
      await checkRejects(write, ['STORAGE_FAILED'], `write ${index} around the failed one`)
    }
    checkEqual(storage.failure?.code, 'STORAGE_FAILED', 'the failure')
    const later: [string, Promise<unknown>][] = [
      ['append', partition.append([sampleBatch(10)], OS)],
      ['append elsewhere', other.append([sampleBatch(0)], OS)],
      ['truncateSuffix', partition.truncateSuffix(0)],
      ['truncatePrefix', partition.truncatePrefix(10)],
      ['replace', partition.replace(0, 10, [])],
      ['writeBlobs', partition.writeBlobs({ a: new Uint8Array([1]) }, 'os')],
      ['deletePartition', storage.deletePartition(PARTITION)],
    ]
    for (const [name, write] of later) await checkRejects(write, ['STORAGE_FAILED'], name)
    checkEqual(partition.state.endOffset, 10, 'endOffset: what was acknowledged')
    checkEqual(await readAll(partition), [stored], 'batches: what was acknowledged')

    await subject.restart()
    check(subject.storage.failure === undefined, 'no failure after close and open')
    const again = await subject.storage.partition(PARTITION)
    if (subject.storage.capabilities.persistent) checkEqual(await readAll(again), [stored], 'batches')
    const { endOffset } = again.state
    await again.append([sampleBatch(endOffset)], OS)
    checkEqual(again.state.endOffset, endOffset + 10, 'endOffset after recovery')
  })
}

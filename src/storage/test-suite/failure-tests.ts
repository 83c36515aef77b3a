/** What the contract says of a failed write: nothing after it is acknowledged until close and open. */
import { checkAllReject, checkEqual } from './assertions.js'
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
    checkEqual(storage.failure, undefined, 'failure before')

    subject.failNextWrite()
    // The second is on its way with the first, or waits behind it: either way it must not be acknowledged.
    const overlapping = {
      'the append that fails': partition.append([sampleBatch(10)], OS),
      'the append behind it': partition.append([sampleBatch(20)], OS),
      'the append to another partition': other.append([sampleBatch(0)], OS),
      'the truncation behind it': partition.truncatePrefix(10),
      'the blobs behind it': partition.writeBlobs({ a: new Uint8Array([1]) }, 'os'),
    }
    await checkAllReject(overlapping, 'STORAGE_FAILED')
    checkEqual(storage.failure?.code, 'STORAGE_FAILED', 'the failure')
    const later = {
      append: partition.append([sampleBatch(10)], OS),
      'append elsewhere': other.append([sampleBatch(0)], OS),
      truncateSuffix: partition.truncateSuffix(0),
      truncatePrefix: partition.truncatePrefix(10),
      replace: partition.replace(0, 10, []),
      writeBlobs: partition.writeBlobs({ a: new Uint8Array([1]) }, 'os'),
    }
    await checkAllReject(later, 'STORAGE_FAILED')
    await checkAllReject({ deletePartition: storage.deletePartition(PARTITION) }, 'STORAGE_FAILED')
    checkEqual(partition.state.endOffset, 10, 'endOffset: what was acknowledged')
    checkEqual(await readAll(partition), [stored], 'batches: what was acknowledged')

    await subject.restart()
    checkEqual(subject.storage.failure, undefined, 'failure after close and open')
    const again = await subject.storage.partition(PARTITION)
    if (subject.storage.capabilities.persistent) checkEqual(await readAll(again), [stored], 'batches')
    const { endOffset } = again.state
    await again.append([sampleBatch(endOffset)], OS)
    checkEqual(again.state.endOffset, endOffset + 10, 'endOffset after recovery')
  })
}

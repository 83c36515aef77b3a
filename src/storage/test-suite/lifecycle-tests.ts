/** What the contract says of blobs, opening and closing, the list of partitions, and their deletion. */
import { check, checkAllReject, checkEqual } from './assertions.js'
import { OTHER_TOPIC_ID, PARTITION, readAll, sampleBatch, sampleRun, TOPIC_ID } from './samples.js'
import type { StorageTest } from './suite-context.js'

const OS = { durability: 'os' } as const
const ONE = new Uint8Array([1])
const TWO = new Uint8Array([2, 2])

/** Declares the tests. */
export const lifecycleTests = (test: StorageTest): void => {
  test('blobs are set, changed and removed as one unit, each partition its own', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const other = await storage.partition({ ...PARTITION, partition: 1 })
    checkEqual(await partition.readBlob('a'), undefined, 'a blob that was never written')
    const given = new Uint8Array([1])
    await partition.writeBlobs({ a: given, b: TWO, 'näme/…': new Uint8Array(0) }, 'os')
    given[0] = 99
    checkEqual(await partition.readBlob('a'), ONE, 'a, whatever its giver did with it later')
    checkEqual(await partition.readBlob('näme/…'), new Uint8Array(0), 'an empty blob')
    checkEqual(await other.readBlob('a'), undefined, 'a of the other partition')
    await partition.writeBlobs({ a: null, b: ONE, c: null }, 'os')
    checkEqual(await partition.readBlob('a'), undefined, 'a after its removal')
    checkEqual(await partition.readBlob('b'), ONE, 'b')
    checkEqual(await partition.readBlob(''), undefined, 'a blob without a name')
  })

  test('the list of partitions holds those that hold something', async ({ storage }) => {
    checkEqual(await storage.partitions(), [], 'no partitions')
    const written = [PARTITION, { topicId: OTHER_TOPIC_ID, partition: 7 }]
    for (const id of written) await (await storage.partition(id)).append([sampleBatch(0)], OS)
    await storage.partition({ topicId: TOPIC_ID, partition: 5 })
    const byTopic = [...(await storage.partitions())].sort((a, b) => a.partition - b.partition)
    checkEqual(byTopic, written, 'partitions')
  })

  test('a deleted partition refuses everything, and a new one of its name is empty', async (subject) => {
    const { storage } = subject
    const partition = await storage.partition(PARTITION)
    const neighbour = await storage.partition({ ...PARTITION, partition: 1 })
    const kept = sampleBatch(0)
    await neighbour.append([kept], OS)
    await partition.append(sampleRun(0, 1500), { ...OS, blobs: { a: ONE } })
    await partition.truncatePrefix(100)
    await storage.deletePartition(PARTITION)
    const refused = {
      append: partition.append([sampleBatch(20_000)], OS),
      read: partition.read(0, 100),
      infos: partition.infos(0, 100),
      findByTimestamp: partition.findByTimestamp(0, 0),
      truncateSuffix: partition.truncateSuffix(0),
      truncatePrefix: partition.truncatePrefix(200),
      replace: partition.replace(100, 110, []),
      readBlob: partition.readBlob('a'),
      writeBlobs: partition.writeBlobs({ a: TWO }, 'os'),
    }
    await checkAllReject(refused, 'RESOURCE_CLOSED')
    const expectFresh = async (): Promise<void> => {
      const fresh = await subject.storage.partition(PARTITION)
      checkEqual(fresh.state, { startOffset: 0, endOffset: 0, sizeBytes: 0, batchCount: 0 }, 'state')
      checkEqual(await readAll(fresh), [], 'batches')
      checkEqual(await fresh.readBlob('a'), undefined, 'blob')
    }
    await expectFresh()
    checkEqual((await storage.partitions()).length, 1, 'partitions')
    checkEqual(await readAll(neighbour), [kept], 'the batches of its neighbour')
    await storage.deletePartition(PARTITION)
    if (storage.capabilities.persistent) {
      await subject.restart()
      await expectFresh()
    }
    const again = await subject.storage.partition(PARTITION)
    const batch = sampleBatch(0)
    await again.append([batch], OS)
    checkEqual(await readAll(again), [batch], 'batches of the new one')
  })

  test('a partition that is opened while it is deleted is a new one', async ({ storage }) => {
    const old = await storage.partition(PARTITION)
    await old.append(sampleRun(0, 600), OS)
    const deleted = storage.deletePartition(PARTITION)
    const batch = sampleBatch(0)
    const opened = (async () => {
      const fresh = await storage.partition(PARTITION)
      if (fresh === old) return
      await fresh.append([batch], OS)
    })()
    await Promise.all([deleted, opened])
    const partition = await storage.partition(PARTITION)
    if (partition.state.endOffset === 0) await partition.append([batch], OS)
    checkEqual(await readAll(partition), [batch], 'batches')
    checkEqual((await storage.partitions()).length, 1, 'partitions')
  })

  test('a closed storage refuses everything; closing again is fine', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    await partition.append([sampleBatch(0)], OS)
    await Promise.all([storage.close(), storage.close()])
    await storage.close()
    const refused = {
      partition: storage.partition(PARTITION),
      partitions: storage.partitions(),
      deletePartition: storage.deletePartition(PARTITION),
      append: partition.append([sampleBatch(10)], OS),
      read: partition.read(0, 100),
      infos: partition.infos(0, 100),
      truncateSuffix: partition.truncateSuffix(0),
      readBlob: partition.readBlob('a'),
    }
    await checkAllReject(refused, 'RESOURCE_CLOSED')
    check(storage.failure === undefined, 'closing is no failure')
  })

  test('close finishes what was begun', async (subject) => {
    const { storage } = subject
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 50)
    const writes = batches.map((batch) => partition.append([batch], OS))
    const truncated = partition.truncatePrefix(100)
    await storage.close()
    await Promise.all([...writes, truncated])
    if (!storage.capabilities.persistent) return
    await subject.restart()
    checkEqual(await readAll(await subject.storage.partition(PARTITION)), batches.slice(10), 'batches')
  })

  test('what is persistent is there again after close and open, what is not is not', async (subject) => {
    const partition = await subject.storage.partition(PARTITION)
    const batches = sampleRun(0, 40)
    await partition.append(batches, { ...OS, blobs: { a: ONE, b: TWO } })
    await partition.truncatePrefix(55)
    await partition.truncateSuffix(300)
    await partition.replace(100, 120, [sampleBatch(101, 2, { maxTimestamp: 10_000 })], { b: null })
    const before = { state: partition.state, batches: await readAll(partition) }
    await subject.restart()
    const again = await subject.storage.partition(PARTITION)
    if (!subject.storage.capabilities.persistent) {
      checkEqual(again.state.endOffset, 0, 'endOffset of a storage that keeps nothing')
      checkEqual(await subject.storage.partitions(), [], 'partitions of a storage that keeps nothing')
      return
    }
    checkEqual(again.state, before.state, 'state')
    checkEqual(await readAll(again), before.batches, 'batches')
    checkEqual(await again.readBlob('a'), ONE, 'a')
    checkEqual(await again.readBlob('b'), undefined, 'b')
    checkEqual((await again.findByTimestamp(5000, 0))?.baseOffset, 101, 'by timestamp')
    await again.append([sampleBatch(300)], OS)
    checkEqual(again.state.endOffset, 310, 'endOffset')
  })

  test('its size grows with what it keeps', async ({ storage }) => {
    const before = await storage.sizeBytes()
    const partition = await storage.partition(PARTITION)
    await partition.append([sampleBatch(0, 10, { sizeBytes: 200_000 })], OS)
    check((await storage.sizeBytes()) >= before + 200_000, 'sizeBytes after 200000 bytes')
  })
}

/** What the contract says of append: order, atomic groups, overlapping calls, durability. */
import { check, checkEqual, checkRejects } from './assertions.js'
import { batchOf, OTHER_TOPIC_ID, PARTITION, readAll, sampleBatch, sampleRun, TOPIC_ID } from './samples.js'
import type { StorageTest } from './suite-context.js'

const OS = { durability: 'os' } as const

/** Declares the tests. */
export const appendTests = (test: StorageTest): void => {
  test('a partition that was never written is empty and starts at 0', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    checkEqual(partition.id, PARTITION, 'id')
    checkEqual(partition.state, { startOffset: 0, endOffset: 0, sizeBytes: 0, batchCount: 0 }, 'state')
    checkEqual(await partition.read(0, 1000), [], 'read')
    checkEqual(await partition.infos(0, 10), [], 'infos')
    checkEqual(await partition.findByTimestamp(0, 0), undefined, 'findByTimestamp')
  })

  test('what was appended is read back, byte by byte, and counted', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = [sampleBatch(0, 10), sampleBatch(10, 1, { sizeBytes: 61 }), sampleBatch(11, 500)]
    for (const batch of batches) await partition.append([batch], OS)
    checkEqual(await readAll(partition), batches, 'batches')
    checkEqual(partition.state, { startOffset: 0, endOffset: 511, sizeBytes: 261, batchCount: 3 }, 'state')
  })

  test('a batch may start above the end: gaps are the log layer’s affair', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = [sampleBatch(5), sampleBatch(100), sampleBatch(2 ** 40)]
    await partition.append(batches, OS)
    checkEqual(await readAll(partition), batches, 'batches')
    checkEqual(partition.state.endOffset, 2 ** 40 + 10, 'endOffset')
  })

  test('offsets that do not ascend are refused, and nothing of the group is stored', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const first = sampleBatch(0)
    await partition.append([first], OS)
    const refused = [
      { name: 'below the end', batches: [sampleBatch(9)] },
      { name: 'within a group', batches: [sampleBatch(10), sampleBatch(19)] },
      { name: 'a batch that ends before it starts', batches: [sampleBatch(10, 0)] },
    ]
    for (const { name, batches } of refused) {
      await checkRejects(partition.append(batches, OS), ['INVALID_ARGUMENT'], name)
      checkEqual(await readAll(partition), [first], `batches after a refusal ${name}`)
    }
    check(storage.failure === undefined, 'a refused argument is no failure of the storage')
    await partition.append([sampleBatch(10)], OS)
    checkEqual(partition.state.endOffset, 20, 'endOffset')
  })

  test('a group is stored with its blobs as one unit, an empty group its blobs alone', async ({
    storage,
  }) => {
    const partition = await storage.partition(PARTITION)
    const group = sampleRun(0, 3)
    await partition.append(group, { ...OS, blobs: { checkpoint: new Uint8Array([1]) } })
    await partition.append([], { ...OS, blobs: { other: new Uint8Array([2]) } })
    checkEqual(await readAll(partition), group, 'batches')
    checkEqual(await partition.readBlob('checkpoint'), new Uint8Array([1]), 'blob')
    checkEqual(await partition.readBlob('other'), new Uint8Array([2]), 'other blob')
    const refused = partition.append([sampleBatch(0)], { ...OS, blobs: { checkpoint: new Uint8Array([9]) } })
    await checkRejects(refused, ['INVALID_ARGUMENT'], 'a group below the end')
    checkEqual(await partition.readBlob('checkpoint'), new Uint8Array([1]), 'blob after a refusal')
  })

  test('overlapping appends take effect in the order of the calls', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const batches = sampleRun(0, 200)
    let acknowledged = 0
    await Promise.all(
      batches.map(async (batch, index) => {
        await partition.append([batch], OS)
        checkEqual(acknowledged++, index, 'the order of acknowledgements')
        check(partition.state.endOffset > batch.lastOffset, 'the state shows what is acknowledged')
      }),
    )
    checkEqual(await readAll(partition), batches, 'batches')
  })

  test('large appends that overlap keep their order too', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const sizes = [12_000_000, 100, 30_000_000, 100, 25_000_000, 100, 100]
    const batches = sizes.map((sizeBytes, index) => sampleBatch(index * 10, 10, { sizeBytes }))
    // Each is sent when the one before it is on its way or done, from as many turns as there are.
    await Promise.all(
      batches.map(async (batch, index) => {
        for (let turn = 0; turn < index; turn++) await Promise.resolve()
        await partition.append([batch], OS)
      }),
    )
    checkEqual((await readAll(partition)).map(batchOf), batches, 'batches')
  })

  test('partitions are apart from each other, also when they are written at once', async ({ storage }) => {
    const ids = [
      PARTITION,
      { topicId: TOPIC_ID, partition: 1 },
      { topicId: TOPIC_ID, partition: 256 },
      { topicId: OTHER_TOPIC_ID, partition: 0 },
    ]
    const written = await Promise.all(
      ids.map(async (id, index) => {
        const partition = await storage.partition(id)
        const batches = sampleRun(index, 20)
        await Promise.all(batches.map((batch) => partition.append([batch], OS)))
        return { partition, batches }
      }),
    )
    for (const { partition, batches } of written) checkEqual(await readAll(partition), batches, 'batches')
    checkEqual((await storage.partitions()).length, ids.length, 'number of partitions')
  })

  test('a partition that is opened twice is one partition', async ({ storage }) => {
    const [one, other] = await Promise.all([
      storage.partition(PARTITION),
      storage.partition({ ...PARTITION }),
    ])
    const batch = sampleBatch(0)
    await one.append([batch], OS)
    checkEqual(other.state.endOffset, 10, 'endOffset')
    checkEqual(await readAll(other), [batch], 'batches')
    await checkRejects(other.append([sampleBatch(0)], OS), ['INVALID_ARGUMENT'], 'offsets that are taken')
  })

  test('the declared durability is given, a stronger one refused', async ({ storage }) => {
    const partition = await storage.partition(PARTITION)
    const { durability } = storage.capabilities
    check(['none', 'os', 'fsync'].includes(durability), `durability ${durability}`)
    await partition.append([sampleBatch(0)], OS)
    if (durability === 'fsync') {
      await partition.append([sampleBatch(10)], { durability: 'fsync' })
      await partition.writeBlobs({ name: new Uint8Array([1]) }, 'fsync')
      checkEqual(partition.state.endOffset, 20, 'endOffset')
      return
    }
    const append = partition.append([sampleBatch(10)], { durability: 'fsync' })
    await checkRejects(append, ['INVALID_ARGUMENT'], 'append with fsync')
    const blobs = partition.writeBlobs({ name: new Uint8Array([1]) }, 'fsync')
    await checkRejects(blobs, ['INVALID_ARGUMENT'], 'writeBlobs with fsync')
    checkEqual(partition.state.endOffset, 10, 'endOffset')
    check(storage.failure === undefined, 'a refused durability is no failure of the storage')
  })
}

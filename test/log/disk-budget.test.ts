/** The disk budget: held against a naive model, never exceeded, and the right records give room. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import {
  DISK_BUDGET_SLACK,
  DISK_DROP_STEP,
  DISK_RELIEF,
  DiskBudget,
  type DiskPolicy,
} from '../../src/log/disk-budget.js'
import type { LogConfig } from '../../src/log/log-config.js'
import type { PartitionLog } from '../../src/log/partition-log.js'
import { PartitionLogs } from '../../src/log/partition-logs.js'
import { encodeBatch, type BatchOptions } from '../../src/record/encode.js'
import { systemClock } from '../../src/runtime/clock.js'
import type { LogStorage } from '../../src/storage/contract.js'
import { levelStorage } from '../../src/storage/level/index.js'
import { keptStorage } from '../support/kept-storage.js'
import { ID, KEEP_ALL } from '../support/log-batches.js'
import { tempFolder } from '../support/temp-folder.js'

const MAX_BYTES = 3000
const idOf = (partition: number) => ({ ...ID, partition })

const sized = (bytes: number, timestamp: number, options?: BatchOptions): Uint8Array =>
  encodeBatch([{ timestamp, key: null, value: new Uint8Array(bytes), headers: [] }], options)

const openLogs = async (
  policy: DiskPolicy,
  configs: readonly Partial<LogConfig>[],
  storage: LogStorage = keptStorage(),
  maxBytes = MAX_BYTES,
) => {
  await storage.open()
  const dropped: number[] = []
  const told: string[] = []
  const budget: DiskBudget = new DiskBudget({
    maxBytes,
    policy,
    logs: () => logs.opened(),
    onReached: () => told.push('reached'),
    onRelieved: () => told.push('relieved'),
  })
  const logs = new PartitionLogs(storage, {
    clock: systemClock,
    diskBudget: budget,
    onDropped: (_id, { bytes, reason }) => {
      if (reason === 'ottla.disk.max.bytes') dropped.push(bytes)
    },
  })
  const opened: PartitionLog[] = []
  for (const [i, config] of configs.entries()) {
    opened.push(await logs.get(idOf(i), `log-${i}`, { ...KEEP_ALL, ...config }))
  }
  const storedBytes = async () => {
    let total = 0
    for (const id of await storage.partitions()) total += (await storage.partition(id)).state.sizeBytes
    return total
  }
  return { storage, budget, logs, opened, dropped, told, storedBytes }
}

interface ModelBatch {
  readonly offset: number
  readonly size: number
  readonly timestamp: number
}

/** The budget in the words of its documentation, over arrays. */
class NaiveBudget {
  readonly logs: { readonly priority: number | undefined; readonly batches: ModelBatch[]; end: number }[]

  constructor(priorities: readonly (number | undefined)[]) {
    this.logs = priorities.map((priority) => ({ priority, batches: [], end: 0 }))
  }

  get used(): number {
    return this.logs.flatMap(({ batches }) => batches).reduce((sum, { size }) => sum + size, 0)
  }

  append(log: number, size: number, timestamp: number, policy: DiskPolicy): boolean {
    if (this.used + size > MAX_BYTES) {
      if (policy === 'refuse' || !this.#drop(this.used + size - MAX_BYTES)) return false
    }
    const { batches } = this.logs[log]!
    batches.push({ offset: this.logs[log]!.end++, size, timestamp })
    return true
  }

  #drop(missing: number): boolean {
    const candidates = this.logs
      .filter(({ priority }) => priority !== undefined)
      .map(({ priority, batches }) => ({ priority: priority!, batches, taken: 0 }))
    let freed = 0
    while (freed < missing + Math.floor(MAX_BYTES * DISK_DROP_STEP)) {
      const left = candidates.filter(({ batches, taken }) => taken < batches.length)
      if (left.length === 0) break
      const lowest = Math.min(...left.map(({ priority }) => priority))
      const tier = left.filter(({ priority }) => priority === lowest)
      const oldest = Math.min(...tier.map(({ batches, taken }) => batches[taken]!.timestamp))
      const victim = tier.find(({ batches, taken }) => batches[taken]!.timestamp === oldest)!
      freed += victim.batches[victim.taken]!.size
      victim.taken++
    }
    if (freed < missing) return false
    for (const { batches, taken } of candidates) batches.splice(0, taken)
    return true
  }
}

const action = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      log: fc.nat(3),
      bytes: fc.oneof({ weight: 9, arbitrary: fc.nat(500) }, { weight: 1, arbitrary: fc.nat(4000) }),
      timestamp: fc.nat(50),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      log: fc.nat(3),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
)

/** Two topics that go first, one that goes last, and one of the broker's own. */
const PRIORITIES = [0, 0, 5, undefined]
const CONFIGS = PRIORITIES.map((diskPriority) => ({ diskPriority }))

describe('the disk budget', () => {
  for (const policy of ['refuse', 'drop-oldest'] as const) {
    test.prop([fc.array(action, { maxLength: 60 })], { numRuns: 150 })(
      `R1, R2: ${policy} does what the model does, and counts what the storage holds`,
      async (actions) => {
        let open = await openLogs(policy, CONFIGS)
        const model = new NaiveBudget(PRIORITIES)
        for (const step of actions) {
          if (step.kind === 'reopen') {
            await open.logs.close()
            open = await openLogs(policy, CONFIGS, open.storage)
          } else if (step.kind === 'delete') {
            const { batches, end } = model.logs[step.log]!
            const before = Math.round(step.at * end)
            await open.opened[step.log]!.deleteRecordsBefore(before)
            while (batches.length > 0 && batches[0]!.offset < before) batches.shift()
          } else {
            const batch = sized(step.bytes, step.timestamp)
            const fits = model.append(step.log, batch.length, step.timestamp, policy)
            const appended = open.opened[step.log]!.append(batch)
            if (fits) await appended
            else await expect(appended).rejects.toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
          }
          expect(open.budget.usedBytes).toBe(model.used)
          expect(await open.storedBytes()).toBe(model.used)
          expect(model.used).toBeLessThanOrEqual(MAX_BYTES)
          open.opened.forEach((log, i) => {
            const { batches, end } = model.logs[i]!
            expect([log.startOffset, log.endOffset]).toEqual([Math.max(batches[0]?.offset ?? end, 0), end])
          })
        }
      },
    )
  }

  test.prop([fc.array(fc.record({ log: fc.nat(3), bytes: fc.nat(900) }), { maxLength: 60 })], {
    numRuns: 100,
  })('is not exceeded by appends that come all at once, nor is their order', async (appends) => {
    const { opened, budget, storedBytes } = await openLogs('drop-oldest', CONFIGS)
    const ends = opened.map(() => 0)
    await Promise.all(
      appends.map(async ({ log, bytes }, i) => {
        try {
          const { baseOffset } = await opened[log]!.append(sized(bytes, i))
          expect(baseOffset).toBe(ends[log]!++)
        } catch (error) {
          expect(error).toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
        }
        expect(budget.usedBytes).toBeLessThanOrEqual(MAX_BYTES)
        expect(await storedBytes()).toBeLessThanOrEqual(MAX_BYTES)
      }),
    )
    expect(budget.usedBytes).toBe(await storedBytes())
    expect(opened.map(({ endOffset }) => endOffset)).toEqual(ends)
  })

  it('counts what is stored on disk, also when it is opened again with a smaller budget', async () => {
    const folder = await tempFolder()
    const batch = sized(1000, 1)
    let open = await openLogs('drop-oldest', CONFIGS, levelStorage(folder), 10 * batch.length)
    for (let i = 0; i < 20; i++) await open.opened[i % 2]!.append(sized(1000, i))
    expect(open.budget.usedBytes).toBe(10 * batch.length)
    expect(await open.storedBytes()).toBe(10 * batch.length)
    await open.logs.close()
    await open.storage.close()
    open = await openLogs('drop-oldest', CONFIGS, levelStorage(folder), 5 * batch.length)
    expect(open.budget.usedBytes).toBe(10 * batch.length)
    await open.opened[0]!.append(sized(1000, 20))
    // The seventh goes with the step.
    expect(await open.storedBytes()).toBe(4 * batch.length)
    expect(open.opened.map(({ startOffset, endOffset }) => endOffset - startOffset)).toEqual([2, 2, 0, 0])
    await open.logs.close()
    await open.storage.close()
  })

  it('waits for what is on its way rather than refuse', async () => {
    const kept = keptStorage()
    const storage: LogStorage = {
      ...kept,
      async partition(id) {
        const inner = await kept.partition(id)
        return new Proxy(inner, {
          get(target, name) {
            if (name === 'append') {
              return async (...call: Parameters<typeof inner.append>) => {
                await new Promise((resolve) => setImmediate(resolve))
                return target.append(...call)
              }
            }
            const value: unknown = Reflect.get(target, name, target)
            return typeof value === 'function' ? (value.bind(target) as unknown) : value
          },
        })
      },
    }
    const { opened, budget } = await openLogs('drop-oldest', [{}, {}], storage)
    const appends = Array.from({ length: 20 }, (_, i) => opened[i % 2]!.append(sized(900, i)))
    expect((await Promise.all(appends)).map(({ baseOffset }) => baseOffset)).toEqual(
      Array.from({ length: 20 }, (_, i) => Math.floor(i / 2)),
    )
    expect(budget.usedBytes).toBeLessThanOrEqual(MAX_BYTES)
  })

  it('a refused append changes nothing; reads, deletes and retries of what is stored still work', async () => {
    const { opened, budget, logs } = await openLogs('refuse', [{}, {}], keptStorage(), 400)
    const [a, b] = opened as [PartitionLog, PartitionLog]
    const producer = { producerId: 1, producerEpoch: 0 }
    const first = () => sized(200, 1, { ...producer, baseSequence: 0 })
    await a.append(first())
    const used = budget.usedBytes
    await expect(b.append(sized(200, 1))).rejects.toMatchObject({
      code: 'DISK_BUDGET_EXCEEDED',
      retriable: false,
      details: { usedBytes: used, maxBytes: 400, policy: 'refuse' },
    })
    await expect(a.append(sized(200, 1, { ...producer, baseSequence: 1 }))).rejects.toMatchObject({
      code: 'DISK_BUDGET_EXCEEDED',
    })
    expect([a.endOffset, b.endOffset, budget.usedBytes]).toEqual([1, 0, used])
    expect((await a.read(0, 1e6)).batches).toHaveLength(1)
    await expect(a.append(first())).resolves.toMatchObject({ baseOffset: 0, duplicate: true })
    await a.deleteRecordsBefore(-1)
    await b.append(sized(200, 1))
    await logs.delete(idOf(1))
    expect(budget.usedBytes).toBe(0)
    await expect(a.append(sized(200, 1, { ...producer, baseSequence: 1 }))).resolves.toMatchObject({
      baseOffset: 1,
    })
  })

  it('is told of once when it is used up, and once when a sixteenth of it is free', async () => {
    const batch = sized(100, 1)
    const max = 32 * batch.length
    const { opened, told } = await openLogs('refuse', [{}], keptStorage(), max)
    const [log] = opened
    for (let i = 0; i < 32; i++) await log!.append(batch.slice())
    expect(told).toEqual([])
    for (let i = 0; i < 3; i++) {
      await expect(log!.append(batch.slice())).rejects.toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
    }
    expect(told).toEqual(['reached'])
    await log!.deleteRecordsBefore(32 * DISK_RELIEF - 1, 'ottla.disk.max.bytes')
    expect(told).toEqual(['reached'])
    await log!.deleteRecordsBefore(32 * DISK_RELIEF, 'ottla.disk.max.bytes')
    expect(told).toEqual(['reached', 'relieved'])
    await log!.append(batch.slice())
    await log!.append(batch.slice())
    await expect(log!.append(batch.slice())).rejects.toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
    expect(told).toEqual(['reached', 'relieved', 'reached'])
  })

  it('what the broker writes may use the slack, and its metadata more', async () => {
    const { opened, budget } = await openLogs('refuse', [{}, { diskPriority: undefined }])
    const [topic, internal] = opened as [PartitionLog, PartitionLog]
    const overhead = sized(0, 1).length
    // The lengths of a record of this size take three bytes more than those of an empty one.
    await topic.append(sized(MAX_BYTES - overhead - 3, 1))
    const slack = Math.floor(MAX_BYTES * (1 + DISK_BUDGET_SLACK)) - budget.usedBytes
    const small = sized(20, 1)
    await expect(internal.append(small.slice())).rejects.toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
    for (let room = slack; room >= small.length; room -= small.length) {
      await internal.append(small.slice(), { origin: 'coordinator' })
    }
    const own = internal.append(small.slice(), { origin: 'coordinator' })
    await expect(own).rejects.toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
    expect(budget.usedBytes).toBeLessThanOrEqual(MAX_BYTES * (1 + DISK_BUDGET_SLACK))
    await internal.append(small.slice(), { origin: 'metadata' })
  })

  it('a topic without delete in its cleanup.policy keeps its records; what is dropped is told', async () => {
    const { opened, dropped } = await openLogs('drop-oldest', [{ deletesOld: false }, {}], keptStorage(), 800)
    const [compacted, other] = opened as [PartitionLog, PartitionLog]
    await compacted.append(sized(300, 1))
    const batch = sized(100, 2)
    for (let i = 0; i < 3; i++) await other.append(batch.slice())
    expect([compacted.startOffset, other.startOffset]).toEqual([0, 1])
    expect(dropped).toEqual([batch.length])
    other.updateConfig({ ...KEEP_ALL, deletesOld: false })
    await expect(other.append(batch.slice())).rejects.toMatchObject({ code: 'DISK_BUDGET_EXCEEDED' })
    compacted.updateConfig(KEEP_ALL)
    await other.append(batch.slice())
    expect([compacted.startOffset, other.startOffset]).toEqual([1, 1])
  })
})

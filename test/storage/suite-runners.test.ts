/** The published suite runs under any test runner, and finds what is wrong. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { LogStorage, PartitionStorage } from '../../src/storage/contract.js'
import { MemoryStorage } from '../../src/storage/memory/memory-storage.js'
import { storageContractSuite } from '../../src/storage/test-suite/contract-suite.js'

/** Runs the suite over memory with one method changed, and names the tests that fail. */
const failuresWith = async (
  change: (inner: PartitionStorage) => Partial<PartitionStorage>,
): Promise<readonly string[]> => {
  const tests: { name: string; body: () => Promise<void> }[] = []
  storageContractSuite({
    runner: {
      describe: (_name, body) => body(),
      it: (name, body) => void tests.push({ name, body }),
    },
    create: () => broken(change),
    steps: 100,
  })
  const failed: string[] = []
  for (const { name, body } of tests) await body().catch(() => failed.push(name))
  return failed
}

const broken = (change: (inner: PartitionStorage) => Partial<PartitionStorage>): LogStorage => {
  const memory = new MemoryStorage()
  const partitions = new WeakMap<PartitionStorage, PartitionStorage>()
  const partition = async (id: PartitionStorage['id']): Promise<PartitionStorage> => {
    const inner = await memory.partition(id)
    const known = partitions.get(inner)
    if (known !== undefined) return known
    const changes = change(inner)
    const outer = new Proxy(inner, {
      get: (target, name) => {
        if (name in changes) return changes[name as keyof PartitionStorage]
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    partitions.set(inner, outer)
    return outer
  }
  return new Proxy<LogStorage>(memory, {
    get: (target, name) => {
      if (name === 'partition') return partition
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

const faults: Record<string, (inner: PartitionStorage) => Partial<PartitionStorage>> = {
  'appends only the first batch of a group': (inner) => ({
    append: (batches, options) => inner.append(batches.slice(0, 1), options),
  }),
  'loses the blobs of an append': (inner) => ({
    append: (batches, { durability }) => inner.append(batches, { durability }),
  }),
  'accepts any durability': (inner) => ({
    append: (batches, options) => inner.append(batches, { ...options, durability: 'os' }),
  }),
  'keeps the bytes of a batch changed': (inner) => ({
    append: (batches, options) =>
      inner.append(
        batches.map((batch) => ({ ...batch, bytes: batch.bytes.map((byte, i) => (i === 50 ? 7 : byte)) })),
        options,
      ),
  }),
  'ignores maxBytes': (inner) => ({ read: (from) => inner.read(from, Infinity) }),
  'answers nothing when one batch exceeds maxBytes': (inner) => ({
    read: async (from, maxBytes) =>
      (await inner.read(from, maxBytes)).filter((batch) => batch.sizeBytes <= maxBytes),
  }),
  'starts reads after the batch that holds the offset': (inner) => ({
    read: async (from, maxBytes) =>
      (await inner.read(from, maxBytes)).filter((batch) => batch.baseOffset >= from),
  }),
  'ignores maxCount': (inner) => ({ infos: (from) => inner.infos(from, 1e9) }),
  'finds by the batch before': (inner) => ({
    findByTimestamp: (timestamp, from) => inner.findByTimestamp(timestamp - 1, from),
  }),
  'truncates one batch too few': (inner) => ({
    truncateSuffix: (end, blobs) => inner.truncateSuffix(end + 10, blobs),
  }),
  'lets truncation forget blobs': (inner) => ({ truncateSuffix: (end) => inner.truncateSuffix(end) }),
  'does not raise the start within a batch': (inner) => ({
    truncatePrefix: (start, blobs) => inner.truncatePrefix(Math.floor(start / 10) * 10, blobs),
  }),
  'replaces without the blobs': (inner) => ({
    replace: (from, to, batches) => inner.replace(from, to, batches),
  }),
  'never removes a blob': (inner) => ({
    writeBlobs: (blobs, durability) =>
      inner.writeBlobs(Object.fromEntries(Object.entries(blobs).filter(([, value]) => value)), durability),
  }),
  'delays appends by chance of size': (inner) => ({
    append: async (batches, options) => {
      if ((batches[0]?.baseOffset ?? 0) % 20 === 0) await Promise.resolve()
      return inner.append(batches, options)
    },
  }),
}

describe('the contract suite', () => {
  it('passes over memory with a runner of three lines', async () => {
    expect(await failuresWith(() => ({}))).toEqual([])
  })

  it.each(Object.keys(faults))('catches a storage that %s', async (fault) => {
    expect(await failuresWith(faults[fault]!)).not.toEqual([])
  })

  it('runs under node:test', async () => {
    const file = fileURLToPath(new URL('node-test-suite.ts', import.meta.url))
    const { NODE_TEST_CONTEXT: _dropped, ...env } = process.env
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), '--test', '--test-reporter=tap', file],
      { env },
    )
    expect(stdout).toMatch(/# fail 0/)
    expect(Number(/# pass (\d+)/.exec(stdout)?.[1])).toBeGreaterThan(35)
  })
})

import { fc, test } from '@fast-check/vitest'
import { MemoryLevel } from 'memory-level'
import { describe, expect } from 'vitest'
import { baseOffsetOf, lastOffsetOf } from '../../src/record/header.js'
import { validateBatch } from '../../src/record/validate.js'
import { levelStorageOver } from '../../src/storage/level/index.js'
import type { PartitionStorage } from '../../src/storage/contract.js'
import { batchOf, clockAt, ID, KEEP_ALL, memoryPartition, openLog, produced } from '../support/log-batches.js'

interface ModelBatch {
  readonly base: number
  readonly last: number
  readonly time: number
  readonly size: number
  readonly producer: number
  readonly sequence: number
}

type Step =
  | { readonly kind: 'append'; readonly counts: readonly number[]; readonly time: number }
  | { readonly kind: 'produce'; readonly producer: number; readonly retry: boolean }
  | { readonly kind: 'truncate' | 'delete'; readonly at: number }
  | { readonly kind: 'retain'; readonly ms: number; readonly bytes: number }
  | { readonly kind: 'reopen'; readonly clean: boolean }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      counts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      time: fc.integer({ min: -1, max: 1000 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('produce' as const),
      producer: fc.integer({ min: 1, max: 3 }),
      retry: fc.boolean(),
    }),
  },
  fc.record({
    kind: fc.constantFrom('truncate' as const, 'delete' as const),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({
    kind: fc.constant('retain' as const),
    ms: fc.integer({ min: -1, max: 1000 }),
    bytes: fc.integer({ min: -1, max: 2000 }),
  }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }) },
)

/** The log as anyone would write it down: an array. */
class Model {
  batches: ModelBatch[] = []
  start = 0
  end = 0
  /** What each producer appended and was not truncated, and whether retention has it all still. */
  sequences = new Map<number, ModelBatch[]>()

  push(count: number, time: number, size: number, producer = -1, sequence = -1): ModelBatch {
    const batch = { base: this.end, last: this.end + count - 1, time, size, producer, sequence }
    this.batches.push(batch)
    this.end += count
    if (producer >= 0) this.sequences.set(producer, [...(this.sequences.get(producer) ?? []), batch])
    return batch
  }

  truncate(offset: number): void {
    this.batches = this.batches.filter(({ last }) => last < offset)
    this.end = Math.max(this.start, (this.batches.at(-1)?.last ?? -1) + 1)
    for (const [producer, all] of this.sequences) {
      const kept = all.filter(({ last }) => last < offset)
      // Of a producer that truncation takes back to data that was deleted, nothing need be known.
      if (kept.length === 0 || kept.at(-1)!.last < this.start) this.sequences.delete(producer)
      else
        this.sequences.set(
          producer,
          kept.filter(({ last }) => last >= this.start),
        )
    }
  }

  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, offset)
    this.batches = this.batches.filter(({ last }) => last >= this.start)
  }

  retain(now: number, ms: number, bytes: number): void {
    for (;;) {
      const size = this.batches.reduce((sum, batch) => sum + batch.size, 0)
      const [first] = this.batches
      if (first === undefined) return
      const timed = this.batches.findIndex(({ time }) => time >= 0)
      const expired = ms >= 0 && timed >= 0 && this.batches[timed]!.time < now - ms
      const surplus = bytes >= 0 && size - first.size >= bytes
      if (!expired && !surplus) return
      this.deleteBefore((expired ? this.batches[timed]! : first).last + 1)
    }
  }
}

const NOW = 1000

const backends: Record<string, () => Promise<{ partition: PartitionStorage; close: () => Promise<void> }>> = {
  memory: async () => ({ partition: await memoryPartition(), close: async () => undefined }),
  level: async () => {
    const storage = levelStorageOver(
      new MemoryLevel<Uint8Array, Uint8Array>({
        storeEncoding: 'view',
        keyEncoding: 'view',
        valueEncoding: 'view',
      }),
    )
    await storage.open()
    return { partition: await storage.partition(ID), close: () => storage.close() }
  },
}

describe.each(Object.keys(backends))('a log on %s and an array', (backend) => {
  test.prop([fc.array(step, { minLength: 1, maxLength: 40 })], { numRuns: 200 })(
    'H1, H2, L1, L4, L7, P1, P2, P4, R1, R4: are the same after every step',
    async (steps) => {
      const { partition, close } = await backends[backend]!()
      const clock = clockAt(NOW)
      let log = await openLog(partition, {}, { clock })
      const model = new Model()

      const check = async (): Promise<void> => {
        expect([log.failure, log.startOffset, log.endOffset, log.highWatermark]).toEqual([
          undefined,
          model.start,
          model.end,
          model.end,
        ])
        expect(log.sizeBytes).toBe(model.batches.reduce((sum, { size }) => sum + size, 0))
        const { batches } = await log.read(model.start, 1e9)
        for (const batch of batches) validateBatch(batch)
        expect(batches.map((batch) => [baseOffsetOf(batch), lastOffsetOf(batch)])).toEqual(
          model.batches.map(({ base, last }) => [base, last]),
        )
        const live = model.batches.filter(({ time }) => time >= 0)
        const max = Math.max(...live.map(({ time }) => time))
        const first = live.find(({ time }) => time === max)
        const expected = first === undefined ? undefined : Math.max(first.base, model.start)
        expect((await log.maxTimestamp())?.offset).toBe(expected)
      }

      for (const action of steps) {
        switch (action.kind) {
          case 'append': {
            const size = (count: number): number => batchOf(count, action.time).length
            const expected = action.counts.map((count) => model.push(count, action.time, size(count)).base)
            const results = await Promise.all(
              action.counts.map((count) => log.append(batchOf(count, action.time))),
            )
            expect(results.map(({ baseOffset }) => baseOffset)).toEqual(expected)
            break
          }
          case 'produce': {
            const known = model.sequences.get(action.producer) ?? []
            const last = known.at(-1)
            const next = last === undefined ? 0 : last.sequence + 1
            if (last !== undefined && action.retry) {
              for (const batch of known.slice(-5)) {
                expect(await log.append(produced(action.producer, 0, batch.sequence))).toMatchObject({
                  baseOffset: batch.base,
                  duplicate: true,
                })
              }
              await expect(log.append(produced(action.producer, 0, next + 1))).rejects.toMatchObject({
                code: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
              })
            } else if (last === undefined) {
              // Unknown, or unknown to the model: a new epoch would be refused only below the one that was seen.
              const batch = produced(action.producer, 0, 0)
              const result = await log.append(batch).catch(() => undefined)
              if (result !== undefined && !result.duplicate)
                model.push(1, 1, batch.length, action.producer, 0)
            } else {
              const batch = produced(action.producer, 0, next)
              const expected = model.push(1, 1, batch.length, action.producer, next).base
              expect(await log.append(batch)).toMatchObject({ baseOffset: expected, duplicate: false })
            }
            break
          }
          case 'truncate': {
            const offset = model.start + Math.round(action.at * (model.end - model.start))
            await log.truncateTo(offset)
            if (offset < model.end) model.truncate(offset)
            break
          }
          case 'delete': {
            const offset = Math.round(action.at * model.end)
            model.deleteBefore(offset)
            expect(await log.deleteRecordsBefore(offset)).toBe(model.start)
            break
          }
          case 'retain': {
            const before = log.sizeBytes
            log.updateConfig({ ...KEEP_ALL, retentionMs: action.ms, retentionBytes: action.bytes })
            model.retain(NOW, action.ms, action.bytes)
            const dropped = await log.applyRetention(NOW)
            expect(before - log.sizeBytes).toBe(dropped)
            break
          }
          case 'reopen':
            if (action.clean) await log.close()
            log = await openLog(partition, {}, { clock })
            if (action.clean) expect(log.recovery.validatedBytes).toBe(0)
        }
        await check()
      }
      await close()
    },
  )
})

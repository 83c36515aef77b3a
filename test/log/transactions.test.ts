import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { PartitionLog } from '../../src/log/partition-log.js'
import { encodeControlBatch } from '../../src/record/control.js'
import { baseOffsetOf } from '../../src/record/header.js'
import { batchOf, memoryPartition, openLog } from '../support/log-batches.js'

type Step =
  | { readonly kind: 'write' | 'commit' | 'abort'; readonly producer: number }
  | { readonly kind: 'truncate' | 'delete'; readonly at: number }
  | { readonly kind: 'reopen' | 'crash' | 'checkpoint' }

const producer = fc.integer({ min: 1, max: 3 })
// Not a double: most of those lie next to 0.
const at = fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('write' as const), producer }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'abort' as const), producer }),
  },
  fc.record({ kind: fc.constantFrom('truncate' as const, 'delete' as const), at }),
  fc.record({ kind: fc.constantFrom('reopen' as const, 'crash' as const, 'checkpoint' as const) }),
)

interface Entry {
  readonly offset: number
  readonly producer: number
  readonly what: 'write' | 'commit' | 'abort'
}

/** What the whole history says, read through from its first batch. */
const rebuilt = (history: readonly Entry[]) => {
  const open = new Map<number, number>()
  const aborted: { producerId: number; firstOffset: number; lastOffset: number }[] = []
  for (const { offset, producer: producerId, what } of history) {
    const firstOffset = open.get(producerId)
    if (what === 'write') open.set(producerId, firstOffset ?? offset)
    else {
      open.delete(producerId)
      if (what === 'abort' && firstOffset !== undefined) {
        aborted.push({ producerId, firstOffset, lastOffset: offset })
      }
    }
  }
  return { firstOpen: Math.min(...open.values()), aborted }
}

let sequences = new Map<number, number>()
const write = (log: PartitionLog, producerId: number) => {
  const baseSequence = sequences.get(producerId) ?? 0
  sequences.set(producerId, baseSequence + 1)
  return log.append(batchOf(1, 1, { producerId, producerEpoch: 0, baseSequence, isTransactional: true }))
}
const end = (log: PartitionLog, producerId: number, type: 'commit' | 'abort', coordinatorEpoch = 0) =>
  log.append(encodeControlBatch({ type, producerId, producerEpoch: 0, coordinatorEpoch, timestamp: 1 }), {
    origin: 'coordinator',
  })

describe('the transactions of a log', () => {
  test.prop([fc.array(step, { minLength: 1, maxLength: 40 })], { numRuns: 300 })(
    'H1, H4, H5, P4, L7: are those of the whole history after every step',
    async (steps) => {
      sequences = new Map()
      const storage = await memoryPartition()
      let log = await openLog(storage)
      let history: Entry[] = []
      for (const action of steps) {
        switch (action.kind) {
          case 'write':
          case 'commit':
          case 'abort': {
            const appended =
              action.kind === 'write'
                ? await write(log, action.producer)
                : await end(log, action.producer, action.kind)
            history.push({ offset: appended.baseOffset, producer: action.producer, what: action.kind })
            break
          }
          case 'truncate': {
            const offset = Math.round(log.startOffset + action.at * (log.endOffset - log.startOffset))
            const kept = history.filter((entry) => entry.offset < offset)
            // Whose end is cut off while its beginning is deleted: of that one a rebuild cannot tell either.
            if (rebuilt(kept).firstOpen < log.startOffset) break
            await log.truncateTo(offset)
            history = kept
            // Which sequence is next is not what this is about: each producer goes on as the log has it.
            for (const id of [1, 2, 3]) {
              sequences.set(id, history.filter((e) => e.what === 'write' && e.producer === id).length)
            }
            break
          }
          case 'delete':
            // Only what is settled: of a transaction that loses its beginning a rebuild cannot tell.
            await log.deleteRecordsBefore(
              Math.max(log.startOffset, Math.floor(action.at * log.lastStableOffset)),
            )
            break
          case 'checkpoint':
            await log.checkpoint()
            break
          default:
            if (action.kind === 'reopen') await log.close()
            log = await openLog(storage)
        }
        const { firstOpen, aborted } = rebuilt(history)
        const lastStable = Math.max(log.startOffset, Math.min(firstOpen, log.highWatermark))
        expect(log.lastStableOffset).toBe(lastStable)
        for (let from = log.startOffset; from < lastStable; from++) {
          const read = await log.read(from, from % 2 === 0 ? 1 : 1e6, { isolation: 'read_committed' })
          const offsets = read.batches.map(baseOffsetOf)
          const to = offsets.at(-1)! + 1
          expect(to).toBeLessThanOrEqual(lastStable)
          expect(read.abortedTransactions).toEqual(
            aborted
              .filter(({ firstOffset, lastOffset }) => firstOffset < to && lastOffset >= from)
              .map(({ producerId, firstOffset }) => ({ producerId, firstOffset })),
          )
        }
      }
    },
  )

  it('keeps thousands of aborted ones in pages, through a reopening and a truncation', async () => {
    sequences = new Map()
    const storage = await memoryPartition()
    const log = await openLog(storage)
    for (let i = 0; i < 1100; i++) {
      await write(log, 1)
      await end(log, 1, 'abort')
    }
    await log.close()
    const again = await openLog(storage)
    expect(again.recovery.validatedBytes).toBe(0)
    const abortedOf = async (from: number) =>
      (await again.read(from, 1e9, { isolation: 'read_committed' })).abortedTransactions?.length
    expect(await abortedOf(0)).toBe(1100)
    await again.truncateTo(1000)
    expect(await abortedOf(0)).toBe(500)
    await again.deleteRecordsBefore(600)
    await again.close()
    const third = await openLog(storage)
    const { abortedTransactions } = await third.read(600, 1e9, { isolation: 'read_committed' })
    expect(abortedTransactions).toHaveLength(200)
  })

  it('H5: holds a transaction for open until its marker is stored, and again when truncation takes it back', async () => {
    sequences = new Map()
    const log = await openLog(await memoryPartition())
    await write(log, 1)
    const ended = end(log, 1, 'commit')
    expect([log.endOffset, log.lastStableOffset]).toEqual([2, 0])
    await ended
    expect(log.lastStableOffset).toBe(2)
    await log.truncateTo(1)
    expect([log.endOffset, log.lastStableOffset]).toEqual([1, 0])
  })

  it('refuses a marker of an older coordinator, and data outside of the open transaction', async () => {
    sequences = new Map()
    const log = await openLog(await memoryPartition())
    await write(log, 1)
    await expect(
      log.append(batchOf(1, 1, { producerId: 1, producerEpoch: 0, baseSequence: 1 })),
    ).rejects.toMatchObject({ code: 'INVALID_TXN_STATE' })
    await end(log, 1, 'commit', 3)
    await expect(end(log, 1, 'abort', 2)).rejects.toMatchObject({ code: 'TRANSACTION_COORDINATOR_FENCED' })
    expect(log.lastStableOffset).toBe(2)
  })

  it('T4: leaves none open when truncation takes the batch that holds the log start', async () => {
    const log = await openLog(await memoryPartition())
    await log.append(
      batchOf(2, 1, { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true }),
    )
    await log.deleteRecordsBefore(1)
    await log.truncateTo(1)
    await log.append(batchOf(1))
    expect([log.startOffset, log.endOffset, log.lastStableOffset]).toEqual([1, 2, 2])
  })

  it('T2, P4: knows the coordinator whose marker was deleted when the log is truncated', async () => {
    sequences = new Map()
    const log = await openLog(await memoryPartition())
    await write(log, 1)
    await end(log, 1, 'commit', 3)
    await write(log, 1)
    await write(log, 1)
    await log.deleteRecordsBefore(2)
    await log.truncateTo(3)
    await expect(end(log, 1, 'abort', 2)).rejects.toMatchObject({ code: 'TRANSACTION_COORDINATOR_FENCED' })
    // The batch that was deleted is known as well: a retry is none of its own.
    const retry = batchOf(1, 1, { producerId: 1, producerEpoch: 0, baseSequence: 0, isTransactional: true })
    expect(await log.append(retry)).toMatchObject({ baseOffset: 0, duplicate: true })
  })
})

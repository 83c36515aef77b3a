/** What is committed, against a naive model: a list of which records were processed. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { Chunk } from '../../../src/clients/consumer/chunk.js'
import { PartitionState } from '../../../src/clients/consumer/partition-state.js'
import type { Message } from '../../../src/clients/message.js'
import { topicHandle } from '../../support/client-context.js'

const messageAt = (offset: number): Message => ({
  topic: 'orders',
  partition: 0,
  offset,
  timestamp: 0,
  timestampType: 'CreateTime',
  key: null,
  value: null,
  headers: [],
  leaderEpoch: Math.floor(offset / 7),
})

const operation = fc.oneof(
  // A chunk of records with gaps before each, and a gap behind the last.
  fc.record({
    kind: fc.constant('begin' as const),
    gaps: fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
    tail: fc.nat(2),
  }),
  fc.record({ kind: fc.constant('handOut' as const) }),
  fc.record({ kind: fc.constant('process' as const) }),
  fc.record({ kind: fc.constant('takeBack' as const) }),
  fc.record({ kind: fc.constant('skip' as const), by: fc.nat(3) }),
  fc.record({ kind: fc.constant('seek' as const), to: fc.nat(50) }),
  fc.record({ kind: fc.constant('commit' as const) }),
)

describe('the offsets of a partition', () => {
  test.prop([fc.array(operation, { maxLength: 60 }), fc.nat(20)])(
    'are committed up to the first record that is not processed',
    (operations, start) => {
      const state = new PartitionState(topicHandle('orders'), 0, 'read_uncommitted', () => undefined)
      const { tracker } = state
      expect(tracker.toCommit()).toBeUndefined()
      tracker.moveTo(start)
      // The model: every record since the last seek, in order, and where the next chunk begins.
      let records: { offset: number; isHandedOut: boolean; isProcessed: boolean }[] = []
      let end = start
      let committed = -1
      let chunk: Chunk | undefined

      for (const op of operations) {
        switch (op.kind) {
          case 'begin': {
            if (records.some(({ isProcessed }) => !isProcessed)) break
            const messages: Message[] = []
            for (const gap of op.gaps) {
              messages.push(messageAt(end + gap))
              records.push({ offset: end + gap, isHandedOut: false, isProcessed: false })
              end += gap + 1
            }
            end += op.tail
            chunk = new Chunk(state, messages)
            tracker.begin(chunk, end)
            break
          }
          case 'handOut': {
            if (chunk === undefined || chunk.isExhausted) break
            chunk.handedOut++
            records.find(({ isHandedOut }) => !isHandedOut)!.isHandedOut = true
            break
          }
          case 'process': {
            if (chunk === undefined) break
            chunk.processed = chunk.handedOut
            for (const record of records) record.isProcessed ||= record.isHandedOut
            break
          }
          case 'takeBack': {
            chunk?.takeBack()
            for (const record of records) record.isHandedOut &&= record.isProcessed
            break
          }
          case 'skip': {
            // Batches that nobody sees follow what was decoded last.
            if (records.some(({ isProcessed }) => !isProcessed)) break
            end += op.by
            tracker.advanceTo(end)
            break
          }
          case 'seek': {
            tracker.moveTo(op.to)
            records = []
            end = op.to
            chunk = undefined
            break
          }
          case 'commit': {
            const due = tracker.toCommit()
            if (due === undefined) break
            tracker.committed(due.offset)
            committed = due.offset
          }
        }
        const firstOpen = records.find(({ isProcessed }) => !isProcessed)
        const processed = firstOpen?.offset ?? end
        expect(tracker.processed).toBe(processed)
        expect(tracker.position).toBe(records.find(({ isHandedOut }) => !isHandedOut)?.offset ?? end)
        expect(tracker.toCommit()?.offset).toBe(processed === committed ? undefined : processed)
        // No record is below what a commit would store unless it is processed, and none is above it that is.
        for (const { offset, isProcessed } of records) expect(isProcessed).toBe(offset < processed)
        const last = records.filter(({ isProcessed }) => isProcessed).at(-1)
        if (last !== undefined && tracker.toCommit() !== undefined)
          expect(tracker.toCommit()?.leaderEpoch).toBe(Math.floor(last.offset / 7))
      }
    },
  )
})

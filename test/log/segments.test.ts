/** Where segments begin: Kafka's rule, held against a list; the same after a clean and an unclean stop. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import type { LogConfig } from '../../src/log/log-config.js'
import type { PartitionLog } from '../../src/log/partition-log.js'
import { encodeBatch } from '../../src/record/encode.js'
import { mustRoll } from '../../src/log/active-segment.js'
import { batchOf, clockAt, KEEP_ALL, memoryPartition, openLog } from '../support/log-batches.js'
import { recordedPartition } from '../support/recorded-storage.js'

const sized = (bytes: number, timestamp: number): Uint8Array =>
  encodeBatch([{ timestamp, key: null, value: new Uint8Array(bytes), headers: [] }])

/** Where segments of batches with these sizes and times begin, by the words of Kafka's documentation. */
const segmentsOf = (
  batches: readonly { offset: number; size: number; timestamp: number; appendMs: number }[],
  config: { segmentBytes: number; segmentMs: number },
): number[] => {
  const segments: (typeof batches)[number][][] = []
  for (const batch of batches) {
    const active = segments.at(-1)
    const first = active?.[0]
    if (active === undefined || first === undefined) {
      segments.push([batch])
      continue
    }
    const size = active.reduce((sum, each) => sum + each.size, 0)
    const waited = first.timestamp >= 0 ? batch.timestamp - first.timestamp : batch.appendMs - first.appendMs
    if (size + batch.size > config.segmentBytes || waited > config.segmentMs) segments.push([batch])
    else active.push(batch)
  }
  return segments.map((segment) => segment[0]!.offset)
}

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      bytes: fc.nat(300),
      time: fc.integer({ min: -1, max: 60 }),
      wait: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), clean: fc.boolean() }) },
)

describe('segments', () => {
  test.prop([fc.array(step, { maxLength: 60 })], { numRuns: 200 })(
    'begin where the rule says, whatever is closed, killed and opened again in between',
    async (steps) => {
      const limits = { segmentBytes: 1000, segmentMs: 25 }
      const clock = clockAt(1000)
      const { storage, appends } = recordedPartition(await memoryPartition())
      let log: PartitionLog = await openLog(storage, limits, { clock })
      const batches: { offset: number; size: number; timestamp: number; appendMs: number }[] = []
      for (const action of steps) {
        if (action.kind === 'reopen') {
          if (action.clean) await log.close()
          log = await openLog(storage, limits, { clock })
        } else {
          clock.time += action.wait
          const timestamp = action.time < 0 ? -1 : 1000 + action.time
          const bytes = sized(action.bytes, timestamp)
          batches.push({ offset: batches.length, size: bytes.length, timestamp, appendMs: clock.time })
          await log.append(bytes)
        }
        // Time of append is the broker's; what is read again after an unclean stop counts from the opening.
        if (batches.some(({ timestamp }) => timestamp < 0) && action.kind === 'reopen') return
        const expected = segmentsOf(batches, limits)
        expect(log.activeSegmentOffset).toBe(expected.at(-1) ?? 0)
        const begun = appends.filter(({ options }) => options.newSegment === true)
        expect(begun.map(({ batches: [batch] }) => batch!.baseOffset)).toEqual(expected)
      }
    },
  )

  it('a batch over segment.bytes is refused, one as large is not', async () => {
    const batch = batchOf(3)
    const log = await openLog(await memoryPartition(), { segmentBytes: batch.length })
    await expect(log.append(batchOf(4))).rejects.toMatchObject({ code: 'RECORD_LIST_TOO_LARGE' })
    await expect(log.append(batch)).resolves.toMatchObject({ baseOffset: 0 })
  })

  it('begins another one before an offset is 2^31 away from its base', () => {
    const segment = { baseOffset: 10, sizeBytes: 100, firstTimestamp: 1, firstAppendMs: 1 }
    const batch = { sizeBytes: 1, maxTimestamp: 1 }
    const limit = 10 + 2 ** 31 - 1
    expect(mustRoll(segment, { ...batch, lastOffset: limit }, KEEP_ALL, 1)).toBe(false)
    expect(mustRoll(segment, { ...batch, lastOffset: limit + 1 }, KEEP_ALL, 1)).toBe(true)
  })

  it('a change of segment.bytes counts for the next batch; what is cut off ends a segment', async () => {
    const log = await openLog(await memoryPartition())
    for (let i = 0; i < 3; i++) await log.append(batchOf(1))
    expect(log.activeSegmentOffset).toBe(0)
    const config: LogConfig = { ...KEEP_ALL, segmentBytes: 100 }
    log.updateConfig(config)
    await log.append(batchOf(1))
    expect(log.activeSegmentOffset).toBe(3)
    await log.truncateTo(2)
    expect([log.endOffset, log.activeSegmentOffset]).toEqual([2, 2])
    await log.append(batchOf(1))
    expect(log.activeSegmentOffset).toBe(2)
    await log.append(batchOf(1))
    expect(log.activeSegmentOffset).toBe(3)
  })
})

/**
 * Batches written by Kafka's own Java classes: what they read back from them is what we read, and what they wrote
 * is what we write, byte for byte.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { compress, decompress } from '../../src/record/compression/codec.js'
import { controlTypeOf, encodeControlBatch, parseTransactionMarker } from '../../src/record/control.js'
import { openBatch } from '../../src/record/decode.js'
import { BatchBuilder } from '../../src/record/encode.js'
import { HEADER_BYTES, readHeader, setLogAppendTime } from '../../src/record/header.js'
import type { CompressionType } from '../../src/record/header.js'
import { splitBatches, validateBatch } from '../../src/record/validate.js'

const folder = new URL('../fixtures/record/', import.meta.url)
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => name.slice(0, -4))

interface DescribedRecord {
  offset: number
  timestamp: number
  key: string | null
  value: string | null
  headers: { key: string; value: string | null }[]
}
interface DescribedBatch {
  compression: CompressionType
  timestampType: string
  isControl: boolean
  deleteHorizonMs: number
  recordCount: number
  records: DescribedRecord[]
}

const bytesOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`${name}.bin`, folder)))
const descriptionOf = (name: string): DescribedBatch[] =>
  JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as DescribedBatch[]

/** As the Java program describes bytes. */
const described = (bytes: Uint8Array | null): string | null => {
  if (bytes === null) return null
  if (bytes.length <= 512) return Buffer.from(bytes).toString('hex')
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

it('has the fixtures', () => expect(names.length).toBeGreaterThan(25))

describe.each(names)('the fixture %s', (name) => {
  const batches = splitBatches([bytesOf(name)])
  const expected = descriptionOf(name)

  it('splits into the same batches, whose headers say the same', () => {
    expect(batches.length).toBe(expected.length)
    batches.forEach((batch, i) => {
      const { records: _, ...header } = expected[i]!
      expect(validateBatch(batch)).toMatchObject(header)
    })
  })

  it('holds the same records', async () => {
    for (const [i, batch] of batches.entries()) {
      const cursor = await openBatch(batch)
      const records: DescribedRecord[] = []
      while (cursor.next()) {
        records.push({
          offset: cursor.offset,
          timestamp: cursor.timestamp,
          key: described(cursor.key),
          value: described(cursor.value),
          headers: cursor.headers.map(({ key, value }) => ({
            key: Buffer.from(key).toString('hex'),
            value: described(value),
          })),
        })
      }
      expect(records).toEqual(expected[i]!.records)
    }
  })

  it('is what our encoder writes from those records', async () => {
    for (const [i, batch] of batches.entries()) {
      const { compression, deleteHorizonMs, recordCount, timestampType } = expected[i]!
      // What compaction changed is no producer's to write.
      if (deleteHorizonMs >= 0 || recordCount === 0) continue
      const header = readHeader(batch)
      const plain = await reopened(batch, compression)
      const builder = new BatchBuilder({ capacityBytes: 64 })
      while (plain.next()) builder.append(plain.timestamp, plain.key, plain.value, plain.headers)
      const options = { ...header, leaderEpoch: header.partitionLeaderEpoch }
      const encoded = builder.build(options)
      if (timestampType === 'LogAppendTime') setLogAppendTime(encoded, header.maxTimestamp)
      if (compression === 'none') expect(Buffer.from(encoded).equals(batch)).toBe(true)
      else {
        const records = await decompress(compression, batch.subarray(HEADER_BYTES), 1 << 20)
        expect(Buffer.from(encoded.subarray(HEADER_BYTES)).equals(records)).toBe(true)
        expect(await decompress(compression, await compress(compression, records), 1 << 20)).toEqual(records)
      }
    }
  })
})

/** A cursor whose timestamps are those that the producer wrote, whatever the broker put over them. */
const reopened = async (batch: Uint8Array, compression: CompressionType) => {
  const copy = batch.slice()
  if (compression === 'none') copy[22] = copy[22]! & ~0x08
  return openBatch(copy)
}

describe('transaction markers', () => {
  it.each(['commit', 'abort'] as const)('of the Java client are read and written: %s', async (type) => {
    const batch = bytesOf(`control-${type}`)
    const cursor = await openBatch(batch)
    expect(cursor.next()).toBe(true)
    expect(controlTypeOf(cursor.key)).toBe(type)
    expect(parseTransactionMarker(cursor.key, cursor.value)).toEqual({ type, coordinatorEpoch: 11 })
    const encoded = encodeControlBatch({
      type,
      coordinatorEpoch: 11,
      producerId: 9001,
      producerEpoch: 4,
      timestamp: 1_700_000_000_000,
      baseOffset: 77,
      leaderEpoch: 3,
    })
    expect(Buffer.from(encoded).equals(batch)).toBe(true)
  })

  it('are told from other control records, and from damaged ones', () => {
    const key = (version: number, type: number) => Uint8Array.of(version >> 8, version, type >> 8, type)
    expect(controlTypeOf(key(0, 2))).toBe('leaderChange')
    expect(controlTypeOf(key(1, 99))).toBe('unknown')
    expect(parseTransactionMarker(key(0, 2), null)).toBeUndefined()
    const invalid = expect.objectContaining({ code: 'INVALID_RECORD' }) as Error
    expect(() => controlTypeOf(null)).toThrow(invalid)
    expect(() => controlTypeOf(key(-1, 0))).toThrow(invalid)
    expect(() => controlTypeOf(Uint8Array.of(0, 0, 0))).toThrow(invalid)
    expect(() => parseTransactionMarker(key(0, 1), Uint8Array.of(0, 0, 0))).toThrow(invalid)
  })
})

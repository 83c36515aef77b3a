/** The record format against the Java client, both ways: it reads what Ottla encodes, and Ottla what it does. */
import assert from 'node:assert/strict'
import { openBatch } from '../../src/record/decode.js'
import { BatchBuilder, type BatchOptions, type RecordInput } from '../../src/record/encode.js'
import {
  COMPRESSION_TYPES,
  readHeader,
  setLogAppendTime,
  type CompressionType,
} from '../../src/record/header.js'
import { encodeControlBatch } from '../../src/record/control.js'
import { validateBatch } from '../../src/record/validate.js'
import { OttlaError } from '../../src/runtime/errors/ottla-error.js'
import { SeededRandom } from '../support/seeded-random.js'
import { Skipped, type Suite } from '../support/suite-command.js'
import { runJava } from './java-client.js'

const PROGRAM = 'Batches.java'

/** What Batches.java prints of a batch; bytes are base64. */
interface Described {
  readonly name: string
  readonly batch: string
  readonly compression: string
  readonly records: readonly {
    readonly offset: number
    readonly timestamp: number
    readonly key: string | null
    readonly value: string | null
    readonly headers: readonly (readonly [string, string | null])[]
  }[]
  readonly refused?: string
}

const base64 = (bytes: Uint8Array | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64')

/** The fields of the header that both sides name. */
const headerOf = (batch: Uint8Array) => {
  const {
    attributes: _bits,
    lastOffsetDelta: _delta,
    deleteHorizonMs: _horizon,
    ...header
  } = readHeader(batch)
  return header
}

/** What Ottla finds in a batch, in the words of Batches.java. */
const describe = async (name: string, batch: Uint8Array): Promise<Described> => {
  validateBatch(batch)
  const records: Described['records'][number][] = []
  const cursor = await openBatch(batch)
  while (cursor.next()) {
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: base64(cursor.key),
      value: base64(cursor.value),
      headers: cursor.headers.map(({ key, value }) => [key, base64(value)] as const),
    })
  }
  return { name, batch: base64(batch)!, ...headerOf(batch), records }
}

interface Case {
  readonly name: string
  readonly batch: Uint8Array
  /** What was put in, as the Java client should find it. */
  readonly expected: Readonly<Record<string, unknown>>
}

const randomRecords = (random: SeededRandom): RecordInput[] => {
  const bytesOrNull = (limit: number): Uint8Array | null =>
    random.below(5) === 0 ? null : random.bytes(random.below(limit))
  const count = 1 + random.below(random.below(6) === 0 ? 400 : 10)
  const base = 1_700_000_000_000 + random.below(1e9)
  return Array.from({ length: count }, () => ({
    timestamp: base + random.below(100_000) - 50_000,
    key: bytesOrNull(40),
    value: random.below(10) === 0 ? new Uint8Array(random.below(5000)) : bytesOrNull(300),
    headers: Array.from({ length: random.below(4) }, (_, index) => ({
      key: random.oneOf(['', 'a', 'trace-id', 'größe', '🌍']) + String(index),
      value: bytesOrNull(30),
    })),
  }))
}

/** Everything is drawn before anything can fail, so that a seed names the cases whatever codecs there are. */
const makeCase = async (random: SeededRandom, index: number, compression: CompressionType): Promise<Case> => {
  const records = randomRecords(random)
  const idempotent = random.below(2) === 0
  const isTransactional = idempotent && random.below(2) === 0
  const options = {
    baseOffset: random.oneOf([0, random.below(1e6), 2 ** 40 + random.below(1e6), 2 ** 52]),
    leaderEpoch: random.below(1000),
    producerId: idempotent ? random.oneOf([0, random.below(1e9), 2 ** 50]) : -1,
    producerEpoch: idempotent ? random.oneOf([0, random.below(1000), 32_766]) : -1,
    baseSequence: idempotent ? random.oneOf([0, random.below(1e6), 2 ** 31 - 2]) : -1,
    isTransactional,
  } satisfies BatchOptions
  const appendTime = random.below(4) === 0 ? 1_800_000_000_000 + random.below(1e9) : undefined

  const builder = new BatchBuilder()
  for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers)
  const batch = await builder.buildCompressed(compression, options)
  if (appendTime !== undefined) setLogAppendTime(batch, appendTime)

  const name = `ottla-${index}-${compression}`
  const lastDelta = records.length - 1
  return {
    name,
    batch,
    expected: {
      name,
      sizeBytes: batch.length,
      baseOffset: options.baseOffset,
      lastOffset: options.baseOffset + lastDelta,
      partitionLeaderEpoch: options.leaderEpoch,
      compression,
      timestampType: appendTime === undefined ? 'CreateTime' : 'LogAppendTime',
      baseTimestamp: records[0]!.timestamp,
      maxTimestamp: appendTime ?? Math.max(...records.map(({ timestamp }) => timestamp)),
      producerId: options.producerId,
      producerEpoch: options.producerEpoch,
      baseSequence: options.baseSequence,
      lastSequence: idempotent ? (options.baseSequence + lastDelta) % 2 ** 31 : -1,
      isTransactional,
      isControl: false,
      recordCount: records.length,
      records: records.map(({ timestamp, key, value, headers }, at) => ({
        offset: options.baseOffset + at,
        timestamp: appendTime ?? timestamp,
        key: base64(key),
        value: base64(value),
        headers: headers.map((header) => [header.key, base64(header.value)] as const),
      })),
    },
  }
}

const isMissingCodec = (error: unknown): error is OttlaError =>
  error instanceof OttlaError && error.code === 'CODEC_MISSING'

const readByJava = (cases: readonly { name: string; batch: Uint8Array }[]): Described[] =>
  runJava(PROGRAM, ['read'], cases.map(({ name, batch }) => `${name} ${base64(batch)}\n`).join('')).map(
    (line) => JSON.parse(line) as Described,
  )

/** Both ways, with every codec. */
export const recordFormat: Suite = {
  name: 'record',
  summary: 'batches that Ottla writes and the Java client reads, and the other way round',
  defaultRounds: 100,
  async run({ rounds, seed, check }) {
    for (const compression of COMPRESSION_TYPES) {
      await check(`the Java client reads what Ottla writes: ${compression}`, async () => {
        const random = new SeededRandom(seed + COMPRESSION_TYPES.indexOf(compression))
        const cases: Case[] = []
        for (let index = 0; index < rounds; index++) {
          try {
            cases.push(await makeCase(random, index, compression))
          } catch (error) {
            if (isMissingCodec(error)) throw new Skipped(error.message)
            throw error
          }
        }
        const found = readByJava(cases)
        assert.equal(found.length, cases.length)
        cases.forEach(({ expected }, index) => {
          const { batch: _batch, crc: _crc, ...rest } = found[index] as Described & { readonly crc: number }
          assert.deepEqual(rest, expected)
        })
        return `${cases.length} batches`
      })
    }

    await check('the Java client reads the transaction markers that Ottla writes', () => {
      const cases = (['commit', 'abort'] as const).map((type) => ({
        name: type,
        batch: encodeControlBatch({
          type,
          timestamp: 1_700_000_000_123,
          producerId: 4711,
          producerEpoch: 3,
          coordinatorEpoch: 12,
        }),
      }))
      // Apache Kafka's own formats: key = version, type (0 abort, 1 commit); value = version, coordinator epoch.
      const typeNumber = { abort: 0, commit: 1 }
      readByJava(cases).forEach((found, index) => {
        const { name } = cases[index]!
        assert.deepEqual(
          { ...found, batch: undefined, crc: undefined },
          {
            name,
            batch: undefined,
            crc: undefined,
            sizeBytes: 78,
            baseOffset: 0,
            lastOffset: 0,
            partitionLeaderEpoch: -1,
            compression: 'none',
            timestampType: 'CreateTime',
            baseTimestamp: 1_700_000_000_123,
            maxTimestamp: 1_700_000_000_123,
            producerId: 4711,
            producerEpoch: 3,
            baseSequence: -1,
            lastSequence: -1,
            isTransactional: true,
            isControl: true,
            recordCount: 1,
            records: [
              {
                offset: 0,
                timestamp: 1_700_000_000_123,
                key: base64(Uint8Array.of(0, 0, 0, typeNumber[name])),
                value: base64(Uint8Array.of(0, 0, 0, 0, 0, 12)),
                headers: [],
              },
            ],
          },
        )
      })
    })

    await check('the Java client refuses a batch with one bit changed', () => {
      const random = new SeededRandom(seed)
      const builder = new BatchBuilder()
      for (const { timestamp, key, value, headers } of randomRecords(random)) {
        builder.append(timestamp, key, value, headers)
      }
      const batch = builder.build()
      batch[61 + random.below(batch.length - 61)]! ^= 1 << random.below(8)
      const [found] = readByJava([{ name: 'damaged', batch }])
      assert.match(found?.refused ?? '', /CorruptRecordException/)
      assert.throws(() => validateBatch(batch), { code: 'CORRUPT_MESSAGE' })
    })

    let written: Described[] = []
    const wrote = await check('the Java client writes', () => {
      written = runJava(PROGRAM, ['write', String(seed), String(rounds * COMPRESSION_TYPES.length)]).map(
        (line) => JSON.parse(line) as Described,
      )
      return `${written.length} batches`
    })
    if (!wrote) return
    for (const name of COMPRESSION_TYPES) {
      await check(`Ottla reads what the Java client writes: ${name}`, async () => {
        const batches = written.filter(({ compression }) => compression === name)
        assert.ok(batches.length > 0)
        for (const expected of batches) {
          try {
            assert.deepEqual(await describe(expected.name, Buffer.from(expected.batch, 'base64')), expected)
          } catch (error) {
            if (isMissingCodec(error)) throw new Skipped(error.message)
            throw error
          }
        }
        return `${batches.length} batches`
      })
    }
  },
}

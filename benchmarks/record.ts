/** `record`: how near encoding and decoding a RecordBatch come to only copying the same bytes. */
import { crc32c, loadNativeCrc32c } from '../src/record/crc32c.js'
import { openBatch, type RecordCursor } from '../src/record/decode.js'
import { BatchBuilder } from '../src/record/encode.js'
import { FIELD } from '../src/record/header.js'
import { defineBenchmark, type ReadySubject } from './harness/benchmark.js'

interface Settings extends Record<string, number> {
  readonly valueBytes: number
  readonly recordsPerBatch: number
  readonly batches: number
  readonly passes: number
}

const HEADERS: readonly never[] = []
const VALUE_SETS = 8
const TIMESTAMP = 1_767_225_600_000

/**
 * The values of a few batches, which all batches share in turn: a quarter of a million live views would have every
 * collection of garbage measured with them. The batches are distinct memory, more than a core's caches hold.
 */
const makeValues = ({ valueBytes, recordsPerBatch }: Settings): Uint8Array[][] => {
  const memory = new Uint8Array(valueBytes * recordsPerBatch * VALUE_SETS)
  for (let at = 0; at < memory.length; at++) memory[at] = (at * 31) & 0xff
  let at = 0
  return Array.from({ length: VALUE_SETS }, () =>
    Array.from({ length: recordsPerBatch }, () => memory.subarray(at, (at += valueBytes))),
  )
}

/** All batches, encoded. */
const makeBatches = (
  { batches }: Settings,
  builder: BatchBuilder,
  values: readonly Uint8Array[][],
): Uint8Array[] => Array.from({ length: batches }, (_, index) => encode(builder, values[index % VALUE_SETS]!))

const encode = (builder: BatchBuilder, values: readonly Uint8Array[]): Uint8Array => {
  for (let index = 0; index < values.length; index++) {
    builder.append(TIMESTAMP + index, null, values[index]!, HEADERS)
  }
  return builder.build({})
}

/** Reads every key and value as a view; the sum keeps the work from being optimised away. */
const readAll = (cursor: RecordCursor): number => {
  let bytes = 0
  while (cursor.next()) bytes += (cursor.key?.length ?? 0) + (cursor.value?.length ?? 0)
  return bytes
}

const open = (batch: Uint8Array): RecordCursor => {
  const cursor = openBatch(batch)
  if (cursor instanceof Promise) throw new Error('an uncompressed batch opens at once')
  return cursor
}

/** MB (10^6 bytes) a second of encoded batches, each of them worked on `passes` times. */
const throughput = (
  { passes }: Settings,
  batches: readonly Uint8Array[],
  work: (index: number) => void,
): number => {
  let bytes = 0
  const start = performance.now()
  for (let pass = 0; pass < passes; pass++) {
    for (let index = 0; index < batches.length; index++) {
      work(index)
      bytes += batches[index]!.length
    }
  }
  return bytes / 1e6 / ((performance.now() - start) / 1000)
}

const prepareOttla = async (settings: Settings): Promise<ReadySubject> => {
  await loadNativeCrc32c()
  const values = makeValues(settings)
  // One builder, as a producer has one for a partition.
  const builder = new BatchBuilder()
  const batches = makeBatches(settings, builder, values)
  const expected = settings.valueBytes * settings.recordsPerBatch
  return {
    sample: async () => ({
      encode: throughput(settings, batches, (index) => {
        if (encode(builder, values[index % VALUE_SETS]!).length !== batches[index]!.length)
          throw new Error('batches differ')
      }),
      decode: throughput(settings, batches, (index) => {
        if (readAll(open(batches[index]!)) !== expected) throw new Error('a value is missing')
      }),
      crc: throughput(settings, batches, (index) => {
        const batch = batches[index]!
        crc32c(batch, FIELD.attributes, batch.length)
      }),
    }),
  }
}

const prepareCopy = async (settings: Settings): Promise<ReadySubject> => {
  const batches = makeBatches(settings, new BatchBuilder(), makeValues(settings))
  const targets = batches.map((batch) => new Uint8Array(batch.length))
  const copy = (): number => throughput(settings, batches, (index) => targets[index]!.set(batches[index]!))
  return { sample: async () => ({ encode: copy(), decode: copy(), crc: copy() }) }
}

export const record = defineBenchmark<Settings>({
  name: 'record',
  summary: 'encoding, decoding and checking RecordBatch v2, against copying the same bytes',
  units: { encode: 'MB/s', decode: 'MB/s', crc: 'MB/s' },
  settings: (smoke) => ({
    valueBytes: 100,
    recordsPerBatch: 1000,
    batches: smoke ? 8 : 256,
    passes: smoke ? 1 : 8,
  }),
  subjects: [
    { name: 'ottla', summary: 'src/record', prepare: prepareOttla },
    { name: 'memory-copy', summary: 'the same bytes copied into memory that is there', prepare: prepareCopy },
  ],
  ratios: [
    { name: 'encode/copy', metric: 'encode', subject: 'ottla', against: 'memory-copy', atLeast: 0.12 },
    { name: 'decode/copy', metric: 'decode', subject: 'ottla', against: 'memory-copy', atLeast: 0.05 },
  ],
})

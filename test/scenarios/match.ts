/** Whether an answer is what a scenario expects, and where not. */
import { decodeSubscription } from '../../src/protocol/consumer-protocol.js'
import { openBatch } from '../../src/record/decode.js'
import { FIELD, LOG_OVERHEAD_BYTES, readInt32 } from '../../src/record/header.js'
import { readUtf8 } from '../../src/runtime/bytes.js'
import { ERRORS } from '../../src/runtime/errors/error-table.js'
import type { Names } from './names.js'
import { Marker } from './scenario.js'

const ERROR_NAMES = new Map<unknown, string>([
  [0, 'NONE'],
  ...Object.entries(ERRORS)
    .filter(([name, { kafkaCode }]) => kafkaCode !== -1 || name === 'UNKNOWN_SERVER_ERROR')
    .map(([name, { kafkaCode }]) => [kafkaCode, name] as const),
])

/** How `actual` differs from `expected`, one line for each place; what it captures goes to `names`. */
export const differences = async (
  expected: unknown,
  actual: unknown,
  names: Names,
  path = '',
): Promise<string[]> => {
  if (expected instanceof Marker) return markerDifferences(expected, actual, names, path)
  if (Array.isArray(expected)) return arrayDifferences(expected, actual, names, path)
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null) return [differs(path, expected, actual)]
    const found: string[] = []
    const fields = new Map<string, unknown>(Object.entries(actual))
    for (const [name, value] of Object.entries(expected)) {
      const field = fields.get(name)
      const isError = /errorCode$/i.test(name)
      found.push(
        ...(await differences(
          value,
          isError ? (ERROR_NAMES.get(field) ?? field) : field,
          names,
          `${path}.${name}`,
        )),
      )
    }
    return found
  }
  const wanted = typeof expected === 'string' ? names.resolve(expected) : expected
  return Object.is(wanted, actual) ? [] : [differs(path, wanted, actual)]
}

const arrayDifferences = async (
  expected: readonly unknown[],
  actual: unknown,
  names: Names,
  path: string,
): Promise<string[]> => {
  if (!Array.isArray(actual) || actual.length !== expected.length) return [differs(path, expected, actual)]
  const found: string[] = []
  for (const [index, one] of expected.entries()) {
    found.push(...(await differences(one, actual[index], names, `${path}[${index}]`)))
  }
  return found
}

const markerDifferences = async (
  { kind, of }: Marker,
  actual: unknown,
  names: Names,
  path: string,
): Promise<string[]> => {
  switch (kind) {
    case 'any':
      return actual === undefined ? [differs(path, 'anything', actual)] : []
    case 'capture':
      names.set(String(of), actual)
      return actual === undefined ? [differs(path, 'anything', actual)] : []
    case 'atLeast':
      return Number(actual) >= Number(of) ? [] : [differs(path, `at least ${String(of)}`, actual)]
    case 'plus': {
      const { name, number } = of as { name: string; number: number }
      const wanted = names.number(name) + number
      return actual === wanted ? [] : [differs(path, wanted, actual)]
    }
    case 'contains': {
      const found: string[] = []
      for (const one of of as readonly unknown[]) {
        const [nearest] = (await eachDifferences(one, actual, names, path)).sort(
          (a, b) => a.length - b.length,
        )
        if (nearest === undefined || nearest.length > 0) found.push(differs(path, one, actual))
      }
      return found
    }
    case 'lacks': {
      const isThere = (await eachDifferences(of, actual, names, path)).some((each) => each.length === 0)
      return isThere ? [`${path} has ${show(of)}`] : []
    }
    case 'text': {
      const there = actual instanceof Uint8Array ? readUtf8(actual, 0, actual.length) : actual
      return there === of ? [] : [differs(path, of, there)]
    }
    case 'values':
      return arrayDifferences(of as readonly string[], await valuesIn(actual), names, `${path} values`)
    case 'subscription': {
      const topics = (of as readonly string[]).map((topic) => names.resolve(topic))
      return differences(
        topics,
        actual instanceof Uint8Array ? decodeSubscription(actual).topics : actual,
        names,
        path,
      )
    }
    case 'batch':
      throw new Error('an answer is not compared with a batch')
  }
}

const eachDifferences = async (
  expected: unknown,
  actual: unknown,
  names: Names,
  path: string,
): Promise<string[][]> => {
  const found: string[][] = []
  if (!Array.isArray(actual)) return found
  for (const one of actual as readonly unknown[]) found.push(await differences(expected, one, names, path))
  return found
}

/** The values of the records in an answer's batches, however they were divided into pieces. */
const valuesIn = async (records: unknown): Promise<string[]> => {
  const pieces = (records ?? []) as readonly Uint8Array[]
  const bytes = Buffer.concat(pieces)
  const values: string[] = []
  for (let at = 0; at + FIELD.magic < bytes.length;) {
    const size = LOG_OVERHEAD_BYTES + readInt32(bytes, at + FIELD.length)
    // Kafka cuts what it answers where the limit is, in the middle of a batch if need be.
    if (at + size > bytes.length) break
    const cursor = await openBatch(bytes.subarray(at, at + size))
    while (cursor.next()) {
      const { key, value } = cursor
      if (cursor.header.isControl) values.push(key?.[3] === 1 ? 'commit' : 'abort')
      else values.push(value === null ? 'null' : readUtf8(value, 0, value.length))
    }
    at += size
  }
  return values
}

const show = (value: unknown): string =>
  value === undefined
    ? 'nothing'
    : JSON.stringify(value, (_key, one: unknown) => {
        if (one instanceof Marker) return `<${one.kind} ${typeof one.of === 'string' ? one.of : ''}>`
        return one instanceof Uint8Array ? `<${one.length} bytes>` : one
      })

const differs = (path: string, expected: unknown, actual: unknown): string =>
  `${path || 'the answer'}: expected ${show(expected)}, got ${show(actual)}`

/** The error table against Kafka's own list, its documentation, and the class that carries it. */
import { readFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { errorDocs } from '../../scripts/error-docs.js'
import { ERRORS, type ErrorCode, type ErrorEntry } from '../../src/runtime/errors/error-table.js'
import {
  errorFromKafkaCode,
  invalidArgument,
  kafkaCodeOf,
  OttlaError,
  show,
} from '../../src/runtime/errors/ottla-error.js'

interface KafkaError {
  readonly name: string
  readonly code: number
  readonly retriable: boolean
}

/** Kafka's errors as its Java class lists them. */
const kafkaErrors = JSON.parse(
  readFileSync(new URL('../fixtures/protocol/kafka-errors.json', import.meta.url), 'utf8'),
) as readonly KafkaError[]

const entries = Object.entries<ErrorEntry>(ERRORS)

describe('the error table', () => {
  it.each(kafkaErrors.map(({ name, code, retriable }) => [name, code, retriable] as const))(
    '%s is %i, retriable: %s',
    (name, kafkaCode, retriable) => {
      expect(entries.find(([code]) => code === name)?.[1]).toMatchObject({ kafkaCode, retriable })
      expect(errorFromKafkaCode(kafkaCode)).toMatchObject({ code: name, kafkaCode, retriable })
    },
  )

  it('gives no protocol code to errors that Kafka does not have', () => {
    const known = new Set(kafkaErrors.map(({ name }) => name))
    for (const [name, { kafkaCode }] of entries)
      if (!known.has(name)) expect([name, kafkaCode]).toEqual([name, -1])
  })

  it('says of each what happened, in a sentence of its own', () => {
    const meanings = entries.map(([, { meaning }]) => meaning)
    for (const meaning of meanings) expect(meaning).toMatch(/^[A-Za-z].{15,}\.$/)
    expect(new Set(meanings).size).toBe(meanings.length)
  })

  it('is what docs/errors.md says', () => {
    expect(readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')).toBe(errorDocs())
  })
})

describe('OttlaError', () => {
  it('carries what the table says, the cause and the details', () => {
    const cause = new Error('below')
    const error = new OttlaError('MESSAGE_TOO_LARGE', 'too large', { cause, details: { size: 2 } })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'OttlaError',
      code: 'MESSAGE_TOO_LARGE',
      kafkaCode: 10,
      retriable: false,
      message: 'too large',
      cause,
      details: { size: 2 },
    })
    expect('cause' in new OttlaError('MESSAGE_TOO_LARGE')).toBe(false)
  })

  it('is known across two copies of the package', async () => {
    vi.resetModules()
    const copy = await import('../../src/runtime/errors/ottla-error.js')
    expect(copy.OttlaError).not.toBe(OttlaError)
    const foreign: unknown = new copy.OttlaError('STORAGE_LOCKED')
    expect(foreign instanceof OttlaError).toBe(false)
    expect(OttlaError.is(foreign)).toBe(true)
    expect(OttlaError.is(foreign, 'STORAGE_LOCKED')).toBe(true)
    expect(OttlaError.is(foreign, 'STORAGE_FAILED')).toBe(false)
    expect(kafkaCodeOf(foreign)).toBe(-1)
  })

  it.each([undefined, null, 'text', 1, new Error('plain'), { code: 'STORAGE_LOCKED' }])(
    'does not take %s for one of its own',
    (value) => {
      expect(OttlaError.is(value)).toBe(false)
      expect(kafkaCodeOf(value)).toBe(-1)
    },
  )

  it('makes an unknown protocol code an UNKNOWN_SERVER_ERROR that names it', () => {
    const error = errorFromKafkaCode(30_000)
    expect(error.code).toBe('UNKNOWN_SERVER_ERROR')
    expect(error.message).toContain('30000')
  })

  it('never takes -1 for an error of its own', () => {
    const own: ErrorCode = errorFromKafkaCode(-1).code
    expect(own).toBe('UNKNOWN_SERVER_ERROR')
  })

  it('says of an argument what it is and what would be right', () => {
    const error = invalidArgument('Partition', -3, 'a whole number of at least 0')
    expect(error.message).toBe('Partition is -3; expected a whole number of at least 0.')
    expect(error.details).toEqual({ what: 'Partition', value: -3, expected: 'a whole number of at least 0' })
  })
})

describe('show', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  it.each([
    ['text', '"text"'],
    [5n, '5n'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [new Uint8Array(3), '3 bytes'],
    [() => 1, 'a function'],
    [cycle, '[object Object]'],
    ['x'.repeat(200), `"${'x'.repeat(76)}...`],
  ])('%#', (value, expected) => expect(show(value)).toBe(expected))
})

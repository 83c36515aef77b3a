/** The serdes: the bytes of Kafka's own serializers, and errors that say what was given and what would be right. */
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bytes } from '../../../src/clients/serdes/bytes.js'
import { json } from '../../../src/clients/serdes/json.js'
import { nullable } from '../../../src/clients/serdes/nullable.js'
import { float32, float64, int16, int32, int64 } from '../../../src/clients/serdes/numbers.js'
import { isSerde } from '../../../src/clients/serdes/serde.js'
import type { StandardSchema } from '../../../src/clients/serdes/standard-schema.js'
import { string } from '../../../src/clients/serdes/string.js'
import fixture from '../../fixtures/clients/serdes.json' with { type: 'json' }

const hex = (encoded: Uint8Array | null): string | null =>
  encoded === null ? null : Buffer.from(encoded).toString('hex')
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

describe("the bytes are those of Kafka's serializers", () => {
  it.each(fixture.string)('string $value', ({ value, bytes: encoded }) => {
    expect(hex(string.serialize(value))).toBe(encoded)
    expect(string.deserialize(unhex(encoded))).toBe(value)
  })

  it.each(fixture.bytes)('bytes $value', ({ value, bytes: encoded }) => {
    expect(hex(bytes.serialize(unhex(value)))).toBe(encoded)
    expect(bytes.deserialize(unhex(encoded))).toEqual(unhex(value))
  })

  const numbers = [
    ...fixture.int16.map((one) => ({ serde: int16, ...one })),
    ...fixture.int32.map((one) => ({ serde: int32, ...one })),
    ...fixture.float64.map((one) => ({ serde: float64, ...one })),
  ]
  it.each(numbers)('$serde.name $value', ({ serde, value, bytes: encoded }) => {
    expect(hex(serde.serialize(Number(value)))).toBe(encoded)
    expect(serde.deserialize(unhex(encoded))).toBe(Number(value))
  })

  it.each(fixture.float32)('float32 $value', ({ value, bytes: encoded }) => {
    expect(hex(float32.serialize(Number(value)))).toBe(encoded)
    expect(float32.deserialize(unhex(encoded))).toBe(Math.fround(Number(value)))
  })

  it.each(fixture.int64)('int64 $value', ({ value, bytes: encoded }) => {
    expect(hex(int64.serialize(BigInt(value)))).toBe(encoded)
    expect(int64.deserialize(unhex(encoded))).toBe(BigInt(value))
  })

  it('reads from the middle of other bytes', () => {
    expect(int32.deserialize(unhex('ffff00000102ffff').subarray(2, 6))).toBe(258)
    expect(string.deserialize(utf8('..hello..').subarray(2, 7))).toBe('hello')
  })
})

describe('what does not fit is refused', () => {
  it.each([
    ['a number as string', () => string.serialize(7 as never), 'SERIALIZATION_FAILED'],
    ['a string as bytes', () => bytes.serialize('x' as never), 'SERIALIZATION_FAILED'],
    ['int16 above', () => int16.serialize(32_768), 'SERIALIZATION_FAILED'],
    ['int16 below', () => int16.serialize(-32_769), 'SERIALIZATION_FAILED'],
    ['int32 above', () => int32.serialize(2 ** 31), 'SERIALIZATION_FAILED'],
    ['int32 with a fraction', () => int32.serialize(1.5), 'SERIALIZATION_FAILED'],
    ['int32 not a number', () => int32.serialize(Number.NaN), 'SERIALIZATION_FAILED'],
    ['int64 above', () => int64.serialize(2n ** 63n), 'SERIALIZATION_FAILED'],
    ['int64 below', () => int64.serialize(-(2n ** 63n) - 1n), 'SERIALIZATION_FAILED'],
    ['int64 as number', () => int64.serialize(5 as never), 'SERIALIZATION_FAILED'],
    ['float64 as string', () => float64.serialize('1' as never), 'SERIALIZATION_FAILED'],
    ['3 bytes as int32', () => int32.deserialize(unhex('000102')), 'DESERIALIZATION_FAILED'],
    ['9 bytes as int64', () => int64.deserialize(new Uint8Array(9)), 'DESERIALIZATION_FAILED'],
    ['null as string', () => string.deserialize(null), 'DESERIALIZATION_FAILED'],
    ['null as bytes', () => bytes.deserialize(null), 'DESERIALIZATION_FAILED'],
    ['null as json', () => json().deserialize(null), 'DESERIALIZATION_FAILED'],
    ['no JSON', () => json().deserialize(utf8('{')), 'DESERIALIZATION_FAILED'],
  ])('%s', (_, action, code) => {
    expect(action).toThrow(expect.objectContaining({ code }))
  })

  it('with the name, the value and what would be right', () => {
    expect(() => int16.serialize(70_000)).toThrow(
      'The int16 serde was given 70000; expected a whole number from -32768 to 32767.',
    )
    expect(() => string.deserialize(null)).toThrow('nullable(string)')
    expect(() => string.serialize(null as never)).toThrow('nullable(string)')
    expect(() => json().serialize(null)).toThrow('nullable(json)')
  })
})

describe('nullable', () => {
  const maybe = nullable(string)

  it('makes null a tombstone, and leaves the rest to the inner serde', () => {
    expect(maybe.serialize(null)).toBeNull()
    expect(maybe.deserialize(null)).toBeNull()
    expect(hex(maybe.serialize('a'))).toBe('61')
    expect(maybe.deserialize(unhex('61'))).toBe('a')
    expect(hex(maybe.serialize(''))).toBe('')
    expect(() => maybe.serialize(1 as never)).toThrow('The string serde was given 1')
  })

  it('takes a serde', () => {
    expect(() => nullable({} as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    expect(isSerde(maybe)).toBe(true)
    expect(isSerde({ name: 'x', serialize: 1, deserialize: () => 1 })).toBe(false)
    expect(isSerde(null)).toBe(false)
  })
})

describe('json', () => {
  const Order = z.object({ total: z.number(), items: z.array(z.object({ sku: z.string().min(3) })) })
  const order = { total: 40, items: [{ sku: 'abc' }] }

  it('is JSON as text', () => {
    expect(new TextDecoder().decode(json<unknown>().serialize(order)!)).toBe(JSON.stringify(order))
    expect(json().deserialize(utf8('{"total":40,"items":[{"sku":"abc"}]}'))).toEqual(order)
    expect(json().deserialize(utf8('null'))).toBeNull()
  })

  it('checks on the way in and out, and says where', () => {
    const serde = json(Order)
    expect(serde.deserialize(serde.serialize(order))).toEqual(order)
    const bad = { total: 'x', items: [{ sku: 'abc' }, { sku: '' }] } as never
    for (const action of [() => serde.serialize(bad), () => serde.deserialize(json().serialize(bad))]) {
      expect(action).toThrow(/total: .*items\.1\.sku: /s)
    }
    expect(() => serde.serialize(bad)).toThrow(expect.objectContaining({ code: 'SERIALIZATION_FAILED' }))
    expect(() => serde.deserialize(utf8('{}'))).toThrow(
      expect.objectContaining({ code: 'DESERIALIZATION_FAILED' }),
    )
  })

  it('names a path whose steps are objects, as the specification allows', () => {
    const schema: StandardSchema<number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => ({ issues: [{ message: 'no', path: [{ key: 'a' }, 0] }, { message: 'never' }] }),
      },
    }
    expect(() => json(schema).serialize(1)).toThrow('a.0: no; never')
  })

  it('stores what the validator makes of a value', () => {
    const trimmed = json(z.object({ name: z.string().trim() }))
    expect(new TextDecoder().decode(trimmed.serialize({ name: ' Ada ' })!)).toBe('{"name":"Ada"}')
  })

  it('refuses an asynchronous validator', () => {
    const slow = json(z.string().refine(async () => true))
    expect(() => slow.serialize('x')).toThrow(/synchronous/i)
    const rejecting: StandardSchema<string> = {
      '~standard': { version: 1, vendor: 'test', validate: () => Promise.reject(new Error('late')) },
    }
    // The promise that nobody waits for is not an unhandled rejection either: vitest would fail.
    expect(() => json(rejecting).serialize('x')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  })

  it('refuses what has no JSON, and null, which could mean a tombstone', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    for (const value of [undefined, () => 1, 1n, Symbol('s'), cyclic, null]) {
      expect(() => json<unknown>().serialize(value)).toThrow(
        expect.objectContaining({ code: 'SERIALIZATION_FAILED' }),
      )
    }
  })

  it('takes a Standard Schema, which may be a function', () => {
    expect(() => json({} as never)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    const callable = Object.assign(() => 1, {
      '~standard': { version: 1 as const, vendor: 'test', validate: () => ({ value: 7 }) },
    })
    expect(json<number>(callable).deserialize(utf8('1'))).toBe(7)
  })
})

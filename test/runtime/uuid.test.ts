/** Uuids in the text form that Kafka's Java class prints. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { randomUuid, uuidFromBytes, uuidToBytes, ZERO_UUID } from '../../src/runtime/uuid.js'

/** 128 bits in hex, and what `new Uuid(most, least).toString()` gives for them. */
const JAVA = [
  ['00000000000000000000000000000000', 'AAAAAAAAAAAAAAAAAAAAAA'],
  ['00000000000000000000000000000001', 'AAAAAAAAAAAAAAAAAAAAAQ'],
  ['ffffffffffffffffffffffffffffffff', '_____________________w'],
  ['0123456789abcdeffedcba9876543210', 'ASNFZ4mrze_-3LqYdlQyEA'],
  ['fbefbefbefbefbefbefbefbefbefbefb', '---------------------w'],
  ['80000000000000000000000000000001', 'gAAAAAAAAAAAAAAAAAAAAQ'],
  ['32573845413537303532443433364200', 'Mlc4RUE1NzA1MkQ0MzZCAA'],
] as const

const bytesOf = (uuid: string): string => {
  const bytes = new Uint8Array(16)
  uuidToBytes(uuid, bytes)
  return Buffer.from(bytes).toString('hex')
}

describe('Uuid', () => {
  it.each(JAVA)('%s is %s', (hex, text) => {
    expect(uuidFromBytes(Buffer.from(hex, 'hex'))).toBe(text)
    expect(bytesOf(text)).toBe(hex)
  })

  it('is all zero when it says nothing', () => expect(bytesOf(ZERO_UUID)).toBe('00'.repeat(16)))

  it('stands at an offset', () => {
    const bytes = new Uint8Array(20).fill(0xff)
    uuidToBytes(ZERO_UUID, bytes, 2)
    expect([bytes[1], bytes[2], bytes[17], bytes[18]]).toEqual([0xff, 0, 0, 0xff])
    expect(uuidFromBytes(bytes, 2)).toBe(ZERO_UUID)
  })

  it.each([
    '',
    'A',
    'A'.repeat(21),
    'A'.repeat(23),
    `${'A'.repeat(21)}+`,
    `${'A'.repeat(20)}==`,
    '😀'.repeat(11),
  ])('refuses %s', (text) =>
    expect(() => bytesOf(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' })),
  )

  it('made at random has version 4, its variant, and no leading dash', () => {
    let draws = 0
    const uuid = randomUuid({
      next: () => 0,
      bytes: (length) => new Uint8Array(length).fill(draws++ === 0 ? 0xf8 : 0xff),
    })
    expect(bytesOf(uuid)).toBe(
      draws === 1 ? `${'f8'.repeat(6)}48f8b8${'f8'.repeat(7)}` : `${'ff'.repeat(6)}4fffbf${'ff'.repeat(7)}`,
    )
    expect(uuid.startsWith('-')).toBe(false)
    expect(draws).toBe(2)
  })

  test.prop([fc.uint8Array({ minLength: 16, maxLength: 16 })])('comes back', (bytes) => {
    const hex = Buffer.from(bytes).toString('hex')
    expect(uuidFromBytes(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
    expect(bytesOf(uuidFromBytes(bytes))).toBe(hex)
  })
})

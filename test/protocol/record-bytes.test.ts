/** Consumer protocol, coordinator records and metadata records against the bytes that Kafka's Java classes write. */
import { describe, expect, it } from 'vitest'
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  type Assignment,
  type Subscription,
} from '../../src/protocol/consumer-protocol.js'
import * as coordinator from '../../src/protocol/coordinator-records.js'
import {
  encodeMetadataRecord,
  openMetadataFrame,
  readMetadataRecord,
} from '../../src/protocol/metadata-frame.js'
import * as metadata from '../../src/protocol/metadata-records.js'
import type { RecordSchema } from '../../src/protocol/schema.js'
import { decodeVersioned, encodeVersioned, leadingVersion } from '../../src/protocol/versioned-record.js'
import {
  fixtureMessages,
  fromBase64,
  fromHex,
  plainBytes,
  toHex,
  typedMessage,
} from '../support/protocol-fixture.js'

const cases = (name: string) =>
  fixtureMessages(name).map((message) => [message.part, message.version, message.variant, message] as const)

const byName = (schemas: Readonly<Record<string, RecordSchema>>): ReadonlyMap<string, RecordSchema> =>
  new Map(Object.values(schemas).map((schema) => [schema.name, schema]))

const schemaNamed = (schemas: ReadonlyMap<string, RecordSchema>, name: string): RecordSchema => {
  const schema = schemas.get(name)
  if (schema === undefined) throw new Error(`There is no schema ${name}.`)
  return schema
}

describe('coordinator records', () => {
  const schemas = byName(coordinator)

  it('covers every schema', () => {
    expect(new Set(cases('coordinator-records').map(([part]) => part))).toEqual(new Set(schemas.keys()))
  })

  it.each(cases('coordinator-records'))('%s v%i, %s', (part, version, _variant, { hex, value }) => {
    const schema = schemaNamed(schemas, part)
    const bytes = fromHex(hex)
    const expected = typedMessage(schema.fields, value)
    expect(plainBytes(decodeVersioned(schema, bytes))).toEqual(expected)
    // A key says with its version which record it is; Java's class calls that its api key.
    const leading = part.endsWith('Key') ? schema.key : version
    expect(leadingVersion(bytes)).toBe(leading)
    expect(toHex([encodeVersioned(schema, leading, expected)])).toBe(hex)
  })
})

describe('metadata records', () => {
  const schemas = byName(metadata)

  it('covers every schema', () => {
    expect(new Set(cases('metadata-records').map(([part]) => part))).toEqual(new Set(schemas.keys()))
  })

  it.each(cases('metadata-records'))('%s v%i, %s', (part, version, _variant, { hex, value }) => {
    const schema = schemaNamed(schemas, part)
    const expected = typedMessage(schema.fields, value)
    const frame = openMetadataFrame(fromHex(hex))
    expect([frame.key, frame.version]).toEqual([schema.key, version])
    expect(plainBytes(readMetadataRecord(schema, frame))).toEqual(expected)
    expect(frame.reader.remaining).toBe(0)
    expect(toHex([encodeMetadataRecord(schema, version, expected)])).toBe(hex)
  })

  it('refuses a frame of another version', () => {
    expect(() => openMetadataFrame(Uint8Array.of(2, 2, 0))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_VERSION' }),
    )
  })
})

describe('consumer protocol', () => {
  const messages = cases('consumer-protocol')

  it.each(messages)('%s v%i, %s', (part, version, _variant, { hex, value }) => {
    const bytes = fromHex(hex)
    expect(leadingVersion(bytes)).toBe(version)
    const userData = value.userData === null ? null : fromBase64(value.userData)
    const expected = { ...value, userData }
    if (part === 'ConsumerProtocolSubscription') {
      expect(plainBytes(decodeSubscription(bytes))).toEqual(expected)
      if (version === 3) expect(toHex([encodeSubscription(expected as Subscription)])).toBe(hex)
    } else {
      expect(plainBytes(decodeAssignment(bytes))).toEqual(expected)
      if (version === 3) expect(toHex([encodeAssignment(expected as Assignment)])).toBe(hex)
    }
  })

  it('reads a version newer than the newest known as that, whatever follows', () => {
    const newest = messages.find(
      ([part, version]) => part === 'ConsumerProtocolSubscription' && version === 3,
    )
    const bytes = fromHex(`${newest?.[3].hex ?? ''}c0ffee`)
    const before = decodeSubscription(bytes)
    bytes[1] = 9
    expect(decodeSubscription(bytes)).toEqual(before)
  })

  it('refuses a negative version', () => {
    expect(() => decodeAssignment(Uint8Array.of(0xff, 0xff, 0, 0, 0, 0))).toThrow(
      expect.objectContaining({ code: 'MALFORMED_MESSAGE' }),
    )
  })
})

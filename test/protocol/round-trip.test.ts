/** Arbitrary messages of every API and version come back as they went; damaged ones give a typed error or a message. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { codecOf } from '../../src/protocol/codec.js'
import { Reader } from '../../src/protocol/reader.js'
import type { Api } from '../../src/protocol/schema.js'
import { Writer } from '../../src/protocol/writer.js'
import { OttlaError } from '../../src/runtime/errors/ottla-error.js'
import { concatBytes } from '../../src/runtime/bytes.js'
import { arbitraryMessage } from '../support/arbitrary-message.js'
import { PROTOCOL_APIS } from '../support/protocol-apis.js'
import { plainBytes } from '../support/protocol-fixture.js'

const sides = ['request', 'response'] as const

const versionsOf = ({ versions: [oldest, newest] }: Api): number[] =>
  Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index)

const encode = (
  api: Api,
  version: number,
  side: (typeof sides)[number],
  message: Readonly<Record<string, unknown>>,
): Uint8Array => {
  const writer = new Writer()
  codecOf(api, version)[side].write(writer, message)
  return concatBytes(writer.finish())
}

interface Damage {
  readonly at: number
  readonly byte: number
}
const damages = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 })

const damaged = (bytes: Uint8Array, changes: readonly Damage[], cut: number): Uint8Array => {
  const copy = new Uint8Array(bytes.subarray(0, bytes.length - (cut % (bytes.length + 1))))
  if (copy.length > 0) for (const { at, byte } of changes) copy[at % copy.length] = byte
  return copy
}

describe.each(Object.entries(PROTOCOL_APIS))('%s', (_name, api: Api) => {
  for (const version of versionsOf(api)) {
    for (const side of sides) {
      const message = arbitraryMessage(api[side], version)

      test.prop([message], { numRuns: 15 })(`${side} v${version} comes back`, (value) => {
        const reader = new Reader(encode(api, version, side, value))
        expect(plainBytes(codecOf(api, version)[side].read(reader))).toEqual(value)
        expect(reader.remaining).toBe(0)
      })

      test.prop([message, damages, fc.nat(3)], { numRuns: 15 })(
        `${side} v${version}, damaged, is a typed error or a message`,
        (value, changes, cut) => {
          const bytes = damaged(encode(api, version, side, value), changes, cut)
          try {
            codecOf(api, version)[side].read(new Reader(bytes))
          } catch (error) {
            expect(OttlaError.is(error, 'MALFORMED_MESSAGE'), String(error)).toBe(true)
          }
        },
      )
    }
  }
})

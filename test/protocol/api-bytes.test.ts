/** Requests and responses of every API and version against the bytes that Kafka's Java classes write. */
import { describe, expect, it } from 'vitest'
import { codecOf } from '../../src/protocol/codec.js'
import { Reader } from '../../src/protocol/reader.js'
import type { Api } from '../../src/protocol/schema.js'
import { Writer } from '../../src/protocol/writer.js'
import { PROTOCOL_APIS } from '../support/protocol-apis.js'
import { fixtureMessages, fromHex, plainBytes, toHex, typedMessage } from '../support/protocol-fixture.js'

describe.each(Object.entries(PROTOCOL_APIS))('%s', (name, api: Api) => {
  const messages = fixtureMessages(name)

  it('covers every declared version', () => {
    const [oldest, newest] = api.versions
    const versions = Array.from({ length: newest - oldest + 1 }, (_, index) => oldest + index)
    for (const part of ['request', 'response']) {
      const covered = messages.filter((message) => message.part === part).map(({ version }) => version)
      expect([...new Set(covered)]).toEqual(versions)
    }
  })

  it.each(messages.map((message) => [message.part, message.version, message.variant, message] as const))(
    '%s v%i, %s: the same values and the same bytes',
    (part, version, _variant, message) => {
      const side = part === 'request' ? 'request' : 'response'
      const codec = codecOf(api, version)[side]
      const expected = typedMessage(api[side], message.value)
      const reader = new Reader(fromHex(message.hex))
      expect(plainBytes(codec.read(reader))).toEqual(expected)
      expect(reader.remaining).toBe(0)
      const writer = new Writer()
      codec.write(writer, expected)
      expect(writer.sizeBytes).toBe(message.hex.length / 2)
      expect(toHex(writer.finish())).toBe(message.hex)
    },
  )
})

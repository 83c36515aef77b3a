/** Whatever comes before authentication ends in a refusal or a closed connection, and nobody else notices. */
import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { Ottla, type Listener } from '../../../src/index.js'
import { handshake, plain, token } from '../../support/sasl-client.js'
import { WireClient } from '../../support/wire-client.js'

const SASL_AUTHENTICATION_FAILED = 58
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'OAUTHBEARER'] as const

let ottla: Ottla
let listener: Listener

beforeAll(async () => {
  ottla = await Ottla.open()
  await ottla.admin.alterUserScramCredentials([{ user: 'alice', mechanism: 'SCRAM-SHA-256', password: 'x' }])
  listener = await ottla.listen({
    sasl: {
      plain: { alice: 'wonderland' },
      scram: ['SCRAM-SHA-256'],
      oauthbearer: () => undefined,
      connectionFailedAuthenticationDelayMs: 0,
    },
  })
})
afterAll(() => ottla.close())

/** Text that comes close to what the mechanisms say. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'n,,',
        'n=alice',
        ',r=',
        'c=biws',
        ',p=',
        'a=',
        '\0',
        '\u0001',
        'auth=Bearer ',
        'alice',
        '=2C',
        '=3D',
      ),
      fc.string({ maxLength: 8, unit: 'binary' }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.from(parts.join('')))
const bytes = fc.oneof(
  nearly,
  fc.uint8Array({ maxLength: 400 }).map((array) => Buffer.from(array)),
)

const isOthersServed = async (): Promise<void> => {
  const client = await WireClient.connect(listener.port)
  expect((await plain(client, 'alice', 'wonderland')).errorCode).toBe(0)
  client.close()
}

describe('a listener with SASL', () => {
  test.prop([fc.constantFrom(...MECHANISMS), bytes, bytes], { numRuns: 150 })(
    'lets nobody in by chance',
    async (mechanism, first, second) => {
      const client = await WireClient.connect(listener.port)
      await handshake(client, mechanism)
      const answers = [await token(client, first), await token(client, second).catch(() => undefined)]
      // A first token may be answered with a question; the second is never the end of it but by a refusal.
      expect(answers.map((answer) => answer?.errorCode)).toContain(SASL_AUTHENTICATION_FAILED)
      await client.closed
      await isOthersServed()
    },
  )

  test.prop([fc.array(bytes, { minLength: 1, maxLength: 4 })], { numRuns: 100 })(
    'ends a connection that begins with anything else',
    async (frames) => {
      const client = await WireClient.connect(listener.port)
      for (const frame of frames) {
        const size = Buffer.alloc(4)
        size.writeInt32BE(frame.length)
        client.write(Buffer.concat([size, frame]))
      }
      await client.closed
      await isOthersServed()
    },
  )
})

/** Whatever comes over a connection: an answer, or the end of that connection; the broker and the others go on. */
import { fc, test } from '@fast-check/vitest'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { HANDLERS } from '../../../src/broker/handlers.js'
import { Ottla } from '../../../src/index.js'
import type { Listener } from '../../../src/network/listener/listener.js'
import { metadata } from '../../../src/protocol/api/metadata.js'
import { encodeRequest } from '../../../src/protocol/frame.js'
import type { Api } from '../../../src/protocol/schema.js'
import { arbitraryMessage } from '../../support/arbitrary-message.js'
import { WireClient } from '../../support/wire-client.js'

let ottla: Ottla
let listener: Listener
let other: WireClient

beforeAll(async () => {
  ottla = await Ottla.open({ configs: { 'group.min.session.timeout.ms': 1 } })
  await ottla.createTopic('t')
  listener = await ottla.listen({ socketRequestMaxBytes: 1_000_000 })
  other = await WireClient.connect(listener.port)
})
afterAll(() => ottla.close())

/** What would only be waited for: the longest waits are cut short, so that a run ends. */
const impatient = (request: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
  ...request,
  ...('maxWaitMs' in request ? { maxWaitMs: 1 } : {}),
  ...('rebalanceTimeoutMs' in request ? { rebalanceTimeoutMs: 1, sessionTimeoutMs: 1 } : {}),
})

const frame = (api: Api, version: number, request: Readonly<Record<string, unknown>>): Buffer =>
  Buffer.concat(
    encodeRequest(api, version, impatient(request) as never, { correlationId: 7, clientId: 'fuzz' }),
  )

/** Sends it, and waits for an answer or the end; whoever gets neither in time is let go by its client. */
const put = async (bytes: Uint8Array): Promise<'answered' | 'ended' | 'waiting'> => {
  const client = await WireClient.connect(listener.port)
  const answered = client.next().then(
    () => 'answered' as const,
    () => 'ended' as const,
  )
  client.write(bytes)
  const late = new Promise<'waiting'>((resolve) => setTimeout(() => resolve('waiting'), 100))
  const outcome = await Promise.race([answered, late])
  client.close()
  await client.closed
  return outcome
}

const isWell = async (): Promise<void> => {
  const { topics } = await other.call(metadata, 9, {
    topics: [{ name: 't' }],
    allowAutoTopicCreation: false,
  } as never)
  expect(topics).toMatchObject([{ errorCode: 0, name: 't' }])
}

const apis: readonly Api[] = [...HANDLERS.values()].map(({ api }) => api)

describe.each(apis.map((api) => [api.name, api] as const))('%s', (_name, api) => {
  const [oldest, newest] = api.versions
  const requests = fc
    .integer({ min: oldest, max: newest })
    .chain((version) => arbitraryMessage(api.request, version).map((request) => frame(api, version, request)))

  test.prop([requests], { numRuns: 20 })('arbitrary, is answered or ends its connection', async (bytes) => {
    await put(bytes)
    await isWell()
  })

  const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 })
  test.prop([requests, damage, fc.nat(3)], { numRuns: 20 })(
    'damaged, is answered or ends its connection',
    async (bytes, changes, cut) => {
      // The first eight bytes stay: size, API and version, so that it is this API that gets it.
      const copy = Buffer.from(bytes.subarray(0, bytes.length - (cut % Math.max(1, bytes.length - 8))))
      for (const { at, byte } of changes) if (copy.length > 8) copy[8 + (at % (copy.length - 8))] = byte
      copy.writeInt32BE(copy.length - 4)
      await put(copy)
      await isWell()
    },
  )
})

test.prop([fc.uint8Array({ maxLength: 200 })], { numRuns: 100 })(
  'noise is answered or ends its connection',
  async (bytes) => {
    await put(bytes)
    await isWell()
  },
)
